"""Replicas: an autoscaler's number is nobody else's to set, for every apply would put it back."""

from tests.manifests.rules.objects import Findings, Object, find, of_kind


def base_leaves_them_open(objects: list[Object]) -> Findings:
    """The base does not say how many replicas the service wants."""
    return ["Deployment/shop sets replicas"] if "replicas" in find(objects, "Deployment", "shop")["spec"] else []


def decided_once(objects: list[Object]) -> Findings:
    """In an overlay either an autoscaler or the Deployment decides."""
    targets = {item["spec"]["scaleTargetRef"]["name"] for item in of_kind(objects, "HorizontalPodAutoscaler")}
    findings = []
    for item in of_kind(objects, "Deployment"):
        name, fixed = item["metadata"]["name"], "replicas" in item["spec"]
        if fixed and name in targets:
            findings.append(f"Deployment/{name} sets replicas that its autoscaler owns")
        if not fixed and name not in targets:
            findings.append(f"Deployment/{name} has neither replicas nor an autoscaler")
    return findings
