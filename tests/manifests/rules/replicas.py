"""Replicas: an autoscaler's number is nobody else's to set, for every apply would put it back."""

from collections import Counter

from drydock.manifests.objects import Findings, Object, find, of_kind
from drydock.manifests.scalers import scalers


def decided_once(objects: list[Object]) -> Findings:
    """Either an autoscaler or the Deployment decides, and two autoscalers never do."""
    findings = []
    deciders = Counter(scaler.target for scaler in scalers(objects))
    for item in of_kind(objects, "Deployment"):
        name, fixed = item["metadata"]["name"], "replicas" in item["spec"]
        if deciders[name] > 1:
            findings.append(f"Deployment/{name} has {deciders[name]} autoscalers")
        if fixed and name in deciders:
            findings.append(f"Deployment/{name} sets replicas that its autoscaler owns")
        if not fixed and name not in deciders:
            findings.append(f"Deployment/{name} has neither replicas nor an autoscaler")
    return findings


def has_its_percentage_of_something(objects: list[Object]) -> Findings:
    """Utilization is a share of the request: with one container that asks for no CPU, an autoscaler reads nothing."""
    findings = []
    for scaler in scalers(objects):
        if scaler.cpu is None:
            continue
        for container in find(objects, "Deployment", scaler.target)["spec"]["template"]["spec"]["containers"]:
            if "cpu" not in container["resources"].get("requests", {}):
                findings.append(f"Deployment/{scaler.target}, container {container['name']} requests no CPU")
    return findings


def same_whoever_decides(one: list[Object], other: list[Object]) -> Findings:
    """Two choices that stand for each other agree on name, fewest, most and the share of CPU."""
    there = {scaler.target: scaler for scaler in scalers(other)}
    findings = []
    for here in scalers(one):
        if here.target not in there:
            findings.append(f"Deployment/{here.target} has {here.source}, and nothing in its place")
            continue
        for field in ("name", "fewest", "most", "cpu"):
            mine, its = getattr(here, field), getattr(there[here.target], field)
            if None not in (mine, its) and mine != its:
                findings.append(f"{here.source} has {field} {mine}, {there[here.target].source} has {its}")
    return findings
