"""KEDA: it outlives the workers, stays confined, and takes no more than a small cluster gives."""

from collections.abc import Callable

from drydock.manifests.objects import Findings, Object, containers, find
from drydock.manifests.quantities import size

type Rule = Callable[[list[Object]], Findings]

PROGRAMS = ("keda-operator", "keda-metrics-apiserver")
MEMORY = 320 * 2**20


def stays_off_the_workers(objects: list[Object]) -> Findings:
    """Drills drain and stop workers; the control plane stays."""
    role, findings = "node-role.kubernetes.io/control-plane", []
    for name in PROGRAMS:
        spec = find(objects, "Deployment", name)["spec"]["template"]["spec"]
        tolerated = any(item.get("key") == role for item in spec.get("tolerations", []))
        if role not in spec["nodeSelector"] or not tolerated:
            findings.append(f"a drained worker takes {name} along")
    return findings


def bounded(objects: list[Object]) -> Findings:
    """Its limits together are small, and its images are taken from where they are."""
    findings, total = [], 0
    for item in _containers(objects):
        total += size(item["resources"]["limits"]["memory"])
        if item["imagePullPolicy"] != "IfNotPresent":
            findings.append(f"the image of {item['name']} is pulled at each start")
    return findings + ([] if total <= MEMORY else [f"its limits sum up to {total / 2**20:.0f} MiB"])


def watches_the_service_alone(objects: list[Object]) -> Findings:
    """Both programs look into the service's namespace and no other."""
    watched = {
        item["name"]: variable["value"]
        for item in _containers(objects)
        for variable in item["env"]
        if variable["name"] == "WATCH_NAMESPACE"
    }
    return [f"{name} watches {watched.get(name)!r}" for name in PROGRAMS if watched.get(name) != "shop"]


def admits_restricted_pods_alone(objects: list[Object]) -> Findings:
    """Its namespace lets in nothing that Pod Security calls less than `restricted`."""
    level = find(objects, "Namespace", "keda")["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
    return [] if level == "restricted" else [f"its namespace enforces {level}"]


def _containers(objects: list[Object]) -> list[Object]:
    return [item.spec for item in containers(objects) if item.spec["name"] in PROGRAMS]
