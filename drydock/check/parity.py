"""Rules of parity: compose runs what Kubernetes runs."""

import re
from collections.abc import Callable
from typing import Any

from drydock.check.rule import Finding, Rule
from drydock.check.subject import RenderedWorkload, Subject
from drydock.cluster.stack import TELEMETRY_NAMESPACE
from drydock.manifests.quantities import cores, seconds, size

FILE = "compose.yaml"
SOURCE = "12factor.net/dev-prod-parity"
# A name in another namespace ends with it; compose has one namespace.
OTHER_NAMESPACE = re.compile(rf"\.{TELEMETRY_NAMESPACE}\b")
# docs.docker.com/reference/compose-file/services/#stop_grace_period
DEFAULT_GRACE = "10s"


def _compared(here: object, there: object, remedy: str, text: Callable[[Any], str] = str) -> Finding:
    """Whether compose (`here`) and Kubernetes (`there`) have the same value."""
    holds = here == there
    observed = f"{text(here)} in both" if holds else f"{text(here)} in compose, {text(there)} in Kubernetes"
    return Finding(holds, observed, remedy)


def _image(workload: RenderedWorkload) -> Finding:
    return _compared(workload.compose_service.get("image"), workload.container["image"], "Use the same image.")


def _command(workload: RenderedWorkload) -> Finding:
    service, container = workload.compose_service, workload.container
    here = [*service.get("entrypoint", []), *service.get("command", [])]
    there = [*container.get("command", []), *container.get("args", [])]
    remedy = "Run the same command, or leave it to the image in both."
    return _compared(here, there, remedy, lambda words: " ".join(words) or "the image's command")


def _environment(workload: RenderedWorkload) -> Finding:
    here, there = workload.compose_variables, workload.variables
    different = [
        name
        for name in sorted(here.keys() | there.keys())
        if OTHER_NAMESPACE.sub("", there.get(name, "")) != here.get(name, "")
    ]
    observed = f"different: {', '.join(different)}" if different else f"{len(there)} variables are the same"
    return Finding(not different, observed, "Set each in an env file that both read.")


def _grace(workload: RenderedWorkload) -> Finding:
    here = float(seconds(workload.compose_service.get("stop_grace_period", DEFAULT_GRACE)))
    there = workload.budget.grace - workload.budget.prestop
    return _compared(here, there, f"Set stop_grace_period to {there:g}s, the time after preStop.", "{:g} s".format)


def _limits(workload: RenderedWorkload) -> Finding:
    service, limits = workload.compose_service, workload.container.get("resources", {}).get("limits", {})
    here = size(service.get("mem_limit", "0")), float(service.get("cpus", 0))
    there = size(limits.get("memory", "0")), cores(limits.get("cpu", 0))
    return _compared(here, there, "Use the same limits.", lambda it: f"{it[0] >> 20} MiB and {it[1]:g} CPU")


def _long_running(subject: Subject) -> list[RenderedWorkload]:
    return [it for it in subject.composed() if it.item["kind"] != "Job"]


RULES = (
    Rule("parity/image", "Compose runs the same image.", SOURCE, FILE, _image, Subject.composed),
    Rule("parity/command", "Compose runs the same command.", SOURCE, FILE, _command, Subject.composed),
    Rule("parity/environment", "Compose sets the same variables.", SOURCE, FILE, _environment, Subject.composed),
    Rule(
        "parity/grace-period", "Compose allows the same shutdown, without preStop.", SOURCE, FILE, _grace, _long_running
    ),
    Rule("parity/limits", "Compose has the same limits.", SOURCE, FILE, _limits, Subject.composed),
)
