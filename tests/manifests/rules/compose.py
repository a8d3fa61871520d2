"""Compose: what it must say beside what `drydock check` compares: confinement, order of start, health checks."""

from drydock.manifests.objects import Findings, Object, container, find
from drydock.manifests.quantities import seconds

WORKLOADS = {
    "postgres": "StatefulSet",
    "migrate": "Job",
    "shop": "Deployment",
    "receipts": "Deployment",
    "collector": "Deployment",
    "jaeger": "Deployment",
    "prometheus": "Deployment",
    "grafana": "Deployment",
    "postgres-exporter": "Deployment",
    "judge": "Job",
}


def confined(compose: Object, objects: list[Object]) -> Findings:
    """Read-only, without capabilities or a way to more privileges, under the same user, the program itself as PID 1."""
    findings = []
    for name, kind in WORKLOADS.items():
        service = compose["services"][name]
        pod = find(objects, kind, name)["spec"]["template"]["spec"]["securityContext"]
        expected = {
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "init": False,
            "user": f"{pod['runAsUser']}:{pod['runAsGroup']}",
        }
        findings += [
            f"{name}: {key} is {service.get(key)}, not {value}"
            for key, value in expected.items()
            if service.get(key) != value
        ]
    return findings


def starts_in_order(compose: Object) -> Findings:
    """The migration waits for a healthy database, the service and its worker for a completed migration."""
    expected = {
        ("migrate", "postgres"): "service_healthy",
        ("shop", "migrate"): "service_completed_successfully",
        ("receipts", "migrate"): "service_completed_successfully",
    }
    findings = []
    for (name, other), condition in expected.items():
        found = compose["services"][name].get("depends_on", {}).get(other, {}).get("condition")
        if found != condition:
            findings.append(f"{name} starts on {other}: {found}, not {condition}")
    return findings


def checks_readiness(compose: Object, objects: list[Object], name: str) -> Findings:
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
