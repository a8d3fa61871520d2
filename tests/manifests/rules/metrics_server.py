"""metrics-server: it starts against the kubelets of kind, gives up on one in time, and outlives the workers."""

import re
from collections.abc import Callable

from drydock.manifests.objects import Findings, Object, container, find
from drydock.manifests.quantities import seconds

type Rule = Callable[[list[Object]], Findings]

# What an argument is worth that nobody gives.
DEFAULTS = {"metric-resolution": "60s", "kubelet-request-timeout": "10s"}


def trusts_kind(objects: list[Object]) -> Findings:
    """kind's kubelets sign their own certificates."""
    flags = container(objects, "Deployment", "metrics-server")["args"]
    return [] if "--kubelet-insecure-tls" in flags else ["it refuses every kubelet of kind"]


def gives_up_in_time(objects: list[Object]) -> Findings:
    """It does not start unless a kubelet's time to answer ends before the next round."""
    text = " ".join(container(objects, "Deployment", "metrics-server")["args"])
    given = DEFAULTS | dict(re.findall(r"--([\w-]+)=(\S+)", text))
    timeout, resolution = given["kubelet-request-timeout"], given["metric-resolution"]
    return (
        [] if seconds(timeout) < seconds(resolution) else [f"a kubelet has {timeout} to answer, a round {resolution}"]
    )


def stays_off_the_workers(objects: list[Object]) -> Findings:
    """Drills drain and stop workers; the control plane stays."""
    spec = find(objects, "Deployment", "metrics-server")["spec"]["template"]["spec"]
    role = "node-role.kubernetes.io/control-plane"
    tolerated = any(item.get("key") == role for item in spec.get("tolerations", []))
    return [] if role in spec["nodeSelector"] and tolerated else ["a drained worker takes metrics-server along"]


def bounded(objects: list[Object]) -> Findings:
    """Its memory has a limit, and its image is taken from where it is."""
    spec = container(objects, "Deployment", "metrics-server")
    findings = [] if "memory" in spec["resources"].get("limits", {}) else ["its memory has no limit"]
    return findings + ([] if spec["imagePullPolicy"] == "IfNotPresent" else ["its image is pulled at each start"])
