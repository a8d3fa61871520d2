"""Probes: the paths and periods that docs/reference/service.md promises, in Kubernetes and in compose."""

from typing import NamedTuple

from drydock.manifests.objects import Findings, Object, container
from drydock.manifests.quantities import seconds


class Probe(NamedTuple):
    """What docs/reference/service.md says of a probe; `path` is a key of drydock.toml's [probes]."""

    path: str
    period: int


PROBES = {"startupProbe": Probe("live", 5), "livenessProbe": Probe("live", 10), "readinessProbe": Probe("ready", 5)}
STARTUP_FAILURES = 30


def as_designed(objects: list[Object], paths: dict[str, str], name: str = "shop") -> Findings:
    """All three probes ask the right path of the port `http`, in the right period."""
    spec = container(objects, "Deployment", name)
    findings = []
    for kind, expected in PROBES.items():
        probe = spec.get(kind, {})
        asked = probe.get("httpGet", {})
        if asked.get("path") != paths[expected.path]:
            findings.append(f"{kind} asks {asked.get('path')}, not {paths[expected.path]}")
        if asked.get("port") != "http":
            findings.append(f"{kind} asks port {asked.get('port')}, not the one named http")
        if probe.get("periodSeconds") != expected.period:
            findings.append(f"{kind} has a period of {probe.get('periodSeconds')} s, not {expected.period} s")
    if spec.get("startupProbe", {}).get("failureThreshold") != STARTUP_FAILURES:
        findings.append(f"startupProbe does not allow {STARTUP_FAILURES} failures")
    return findings


def liveness_outlasts_readiness(objects: list[Object]) -> Findings:
    """A pod is taken out of the Service before it is restarted."""
    spec = container(objects, "Deployment", "shop")
    restart, removal = (
        spec[name]["periodSeconds"] * spec[name].get("failureThreshold", 3)
        for name in ("livenessProbe", "readinessProbe")
    )
    return [] if removal < restart else [f"unready after {removal} s, but restarted after {restart} s already"]


def compose_agrees(compose: Object, objects: list[Object], name: str = "shop") -> Findings:
    """Compose has one check: it is the readiness probe, and starts with the startup probe's patience."""
    spec, check = container(objects, "Deployment", name), compose["services"][name].get("healthcheck", {})
    readiness, startup = spec["readinessProbe"], spec["startupProbe"]
    findings = []
    if readiness["httpGet"]["path"] not in str(check.get("test")):
        findings.append(f"compose checks {check.get('test')}, not {readiness['httpGet']['path']}")
    expected = {
        "interval": readiness["periodSeconds"],
        "timeout": readiness["timeoutSeconds"],
        "start_period": startup["periodSeconds"] * startup["failureThreshold"],
    }
    for key, value in expected.items():
        if seconds(check.get(key, "0s")) != value:
            findings.append(f"compose's {key} is {check.get(key)}, Kubernetes has {value} s")
    if check.get("retries") != readiness["failureThreshold"]:
        findings.append(f"compose allows {check.get('retries')} failures, Kubernetes {readiness['failureThreshold']}")
    return findings
