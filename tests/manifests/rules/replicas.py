"""Replicas: an autoscaler's number is nobody else's to set, for every apply would put it back."""

from tests.manifests.rules.objects import Findings, Object, find, of_kind


def decided_once(objects: list[Object]) -> Findings:
    """Either an autoscaler or the Deployment decides."""
    targets = {item["spec"]["scaleTargetRef"]["name"] for item in of_kind(objects, "HorizontalPodAutoscaler")}
    findings = []
    for item in of_kind(objects, "Deployment"):
        name, fixed = item["metadata"]["name"], "replicas" in item["spec"]
        if fixed and name in targets:
            findings.append(f"Deployment/{name} sets replicas that its autoscaler owns")
        if not fixed and name not in targets:
            findings.append(f"Deployment/{name} has neither replicas nor an autoscaler")
    return findings


def has_its_percentage_of_something(objects: list[Object]) -> Findings:
    """Utilization is a share of the request: with one container that asks for no CPU, an autoscaler reads nothing."""
    findings = []
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        name = scaler["spec"]["scaleTargetRef"]["name"]
        for container in find(objects, "Deployment", name)["spec"]["template"]["spec"]["containers"]:
            if "cpu" not in container["resources"].get("requests", {}):
                findings.append(f"Deployment/{name}, container {container['name']} requests no CPU")
    return findings
