"""Rules of parity: compose runs what Kubernetes runs."""

import re

from drydock.check.rule import Finding, Rule
from drydock.check.subject import Subject
from drydock.manifests.quantities import cores, seconds, size

FILE = "compose.yaml"
SOURCE = "12factor.net/dev-prod-parity"
# A name in another namespace ends with it; compose has one namespace.
OTHER_NAMESPACE = re.compile(r"\.observability\b")
# Compose's own.
DEFAULT_GRACE = "10s"


def _image(subject: Subject) -> Finding:
    here, there = subject.compose_service.get("image"), subject.container["image"]
    return Finding(here == there, f"{here} in compose, {there} in Kubernetes", "Use the same image.")


def _command(subject: Subject) -> Finding:
    here = [*subject.compose_service.get("entrypoint", []), *subject.compose_service.get("command", [])]
    there = [*subject.container.get("command", []), *subject.container.get("args", [])]
    observed = f"{_said(here)} in compose, {_said(there)} in Kubernetes"
    return Finding(here == there, observed, "Leave the command to the image.")


def _said(command: list[str]) -> str:
    return " ".join(command) or "the image's command"


def _environment(subject: Subject) -> Finding:
    here, there = subject.compose_variables, subject.variables
    different = [
        name
        for name in sorted(here.keys() | there.keys())
        if OTHER_NAMESPACE.sub("", there.get(name, "")) != here.get(name, "")
    ]
    observed = f"different: {', '.join(different)}" if different else f"{len(there)} variables are the same"
    return Finding(not different, observed, "Set each in k8s/base/*.env, which both read.")


def _grace(subject: Subject) -> Finding:
    here = seconds(subject.compose_service.get("stop_grace_period", DEFAULT_GRACE))
    there = subject.budget.grace - subject.budget.prestop
    observed = f"{here} s in compose, {there:g} s in Kubernetes after preStop"
    return Finding(here == there, observed, f"Set stop_grace_period to {there:g}s.")


def _limits(subject: Subject) -> Finding:
    limits = subject.container.get("resources", {}).get("limits", {})
    here = size(subject.compose_service.get("mem_limit", "0")), float(subject.compose_service.get("cpus", 0))
    there = size(limits.get("memory", "0")), cores(limits.get("cpu", 0))
    observed = f"{here[0] >> 20} MiB and {here[1]:g} cores in compose, {there[0] >> 20} MiB and {there[1]:g} there"
    return Finding(here == there, observed, "Use the same limits.")


RULES = (
    Rule("parity/image", "Compose runs the same image.", SOURCE, FILE, _image),
    Rule("parity/command", "Compose runs the same command.", SOURCE, FILE, _command),
    Rule("parity/environment", "Compose sets the same variables.", SOURCE, FILE, _environment),
    Rule("parity/grace-period", "Compose gives a shutdown the same time, without preStop.", SOURCE, FILE, _grace),
    Rule("parity/limits", "Compose has the same limits.", SOURCE, FILE, _limits),
)
