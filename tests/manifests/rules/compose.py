"""Compose: the same environment, limits and confinement as Kubernetes."""

import re

from drydock.manifests.objects import Findings, Object, container, environment, find
from drydock.manifests.quantities import cores, size

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
    "traffic": "Job",
}
# The Service's name and port there, the service's own here.
DIFFERENT = {"TRAFFIC_URL"}
# A name in another namespace ends with it; compose has one namespace.
OTHER_NAMESPACE = re.compile(r"\.observability\b")


def same_environment(variables: dict[str, dict[str, str]], objects: list[Object]) -> Findings:
    """Every variable has the same value in both; `variables` is what compose sets, by service.

    What only a running pod has (its name, its node) is not among them: in compose the service takes its hostname.
    """
    findings = []
    for name, kind in WORKLOADS.items():
        there, here = environment(objects, container(objects, kind, name)), variables[name]
        for key in sorted((there.keys() | here.keys()) - DIFFERENT):
            if OTHER_NAMESPACE.sub("", there.get(key, "")) != here.get(key, ""):
                findings.append(f"{name}: {key} is {here.get(key)} in compose, {there.get(key)} in Kubernetes")
    return findings


def same_limits(compose: Object, objects: list[Object]) -> Findings:
    """Memory and CPU stop at the same limit."""
    findings = []
    for name, kind in WORKLOADS.items():
        service, limits = compose["services"][name], container(objects, kind, name)["resources"]["limits"]
        if size(service.get("mem_limit", "0")) != size(limits["memory"]):
            findings.append(f"{name}: memory stops at {service.get('mem_limit')} in compose, {limits['memory']} there")
        if float(service.get("cpus", 0)) != cores(limits["cpu"]):
            findings.append(f"{name}: CPU stops at {service.get('cpus')} in compose, {limits['cpu']} there")
    return findings


def same_command(compose: Object, objects: list[Object]) -> Findings:
    """Everything is started by the same command; the service's is that of its image, which has a rule of its own."""
    findings = []
    for name, kind in WORKLOADS.items():
        spec = container(objects, kind, name)
        there = spec.get("command", []) + spec.get("args", [])
        if compose["services"][name].get("command", []) != there:
            findings.append(f"{name} runs {compose['services'][name].get('command')} in compose, {there} in Kubernetes")
    return findings


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
