"""Shutdown: every step is bounded, and the bounds together fit into what the platform allows."""

from collections.abc import Mapping

from tests.manifests.rules.objects import Findings, Object, container, environment, find
from tests.manifests.rules.quantities import seconds

# The service's own steps after SIGTERM, in order (docs/service.md); the backlog's bound is no variable.
STEPS = ("DRAIN_SECONDS", "SETTLE_SECONDS", "GRACEFUL_SECONDS", "POOL_CLOSE_SECONDS", "TELEMETRY_FLUSH_SECONDS")


def pre_stop(objects: list[Object]) -> float:
    """Seconds of the preStop sleep, 0 without one."""
    hook = container(objects, "Deployment", "shop").get("lifecycle", {}).get("preStop", {})
    return float(hook.get("sleep", {}).get("seconds", 0))


def after_sigterm(variables: Mapping[str, str], defaults: Mapping[str, float]) -> float:
    """Seconds that the service may take after SIGTERM: each step as configured, or its default."""
    return sum(float(variables.get(step, defaults[step])) for step in STEPS)


def budget_fits(objects: list[Object], defaults: Mapping[str, float]) -> Findings:
    """preStop and every step of the service end before the kubelet kills."""
    variables = environment(objects, container(objects, "Deployment", "shop"))
    needed = pre_stop(objects) + after_sigterm(variables, defaults)
    grace = find(objects, "Deployment", "shop")["spec"]["template"]["spec"].get("terminationGracePeriodSeconds", 30)
    if needed < grace:
        return []
    return [f"the shutdown may take {needed:g} s, but the kubelet kills after {grace} s"]


def compose_agrees(compose: Object, objects: list[Object], defaults: Mapping[str, float]) -> Findings:
    """Compose allows what Kubernetes allows, but for the preStop sleep that it does not have."""
    variables = environment(objects, container(objects, "Deployment", "shop"))
    grace = find(objects, "Deployment", "shop")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    # Compose's own default is 10 s.
    allowed = seconds(compose["services"]["shop"].get("stop_grace_period", "10s"))
    findings = []
    if allowed != grace - pre_stop(objects):
        findings.append(f"compose waits {allowed} s, Kubernetes {grace} s with {pre_stop(objects):g} s of preStop")
    if allowed <= after_sigterm(variables, defaults):
        findings.append(f"compose kills after {allowed} s, the service needs {after_sigterm(variables, defaults):g} s")
    return findings
