"""Shutdown: every step is bounded, and the bounds together fit into what the platform allows."""

from collections.abc import Mapping

from drydock.manifests.objects import Findings, Object, container, environment, find
from drydock.manifests.quantities import seconds

# Each Deployment's own steps after SIGTERM, in order (docs/reference/service.md); the backlog's bound is no variable.
LAST = ("GRACEFUL_SECONDS", "POOL_CLOSE_SECONDS", "TELEMETRY_FLUSH_SECONDS")
STEPS = {"shop": ("DRAIN_SECONDS", "SETTLE_SECONDS", *LAST), "receipts": LAST}


def pre_stop(objects: list[Object], name: str) -> float:
    """Seconds of the preStop sleep, 0 without one."""
    hook = container(objects, "Deployment", name).get("lifecycle", {}).get("preStop", {})
    return float(hook.get("sleep", {}).get("seconds", 0))


def after_sigterm(name: str, variables: Mapping[str, str], defaults: Mapping[str, float]) -> float:
    """Seconds that it may take after SIGTERM: each step as configured, or its default."""
    return sum(float(variables.get(step, defaults[step])) for step in STEPS[name])


def budget_fits(objects: list[Object], defaults: Mapping[str, float]) -> Findings:
    """preStop and every step of a Deployment end before the kubelet kills."""
    findings = []
    for name in STEPS:
        variables = environment(objects, container(objects, "Deployment", name))
        needed = pre_stop(objects, name) + after_sigterm(name, variables, defaults)
        grace = find(objects, "Deployment", name)["spec"]["template"]["spec"].get("terminationGracePeriodSeconds", 30)
        if needed >= grace:
            findings.append(f"the shutdown of {name} may take {needed:g} s, but the kubelet kills after {grace} s")
    return findings


def compose_agrees(compose: Object, objects: list[Object], defaults: Mapping[str, float]) -> Findings:
    """Compose allows what Kubernetes allows, but for the preStop sleep that it does not have."""
    findings = []
    for name in STEPS:
        variables = environment(objects, container(objects, "Deployment", name))
        grace = find(objects, "Deployment", name)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        sleep, needed = pre_stop(objects, name), after_sigterm(name, variables, defaults)
        # Compose's own default is 10 s.
        allowed = seconds(compose["services"][name].get("stop_grace_period", "10s"))
        if allowed != grace - sleep:
            findings.append(f"{name}: compose waits {allowed} s, Kubernetes {grace} s with {sleep:g} s of preStop")
        if allowed <= needed:
            findings.append(f"{name}: compose kills after {allowed} s, but {needed:g} s are needed")
    return findings
