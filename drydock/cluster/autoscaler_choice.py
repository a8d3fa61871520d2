"""Keeps one autoscaler on the cluster: removes those that an earlier choice of k8s/autoscaling left."""

import json
from typing import Any

from drydock.cluster import keda
from drydock.cluster.keda import SCALED_OBJECTS
from drydock.cluster.kind import Cluster
from drydock.cluster.stack import Autoscaling
from drydock.core.errors import FailedError
from drydock.pinned.releases import KEDA
from drydock.system.wait import wait_until

OPERATOR = "keda-operator"
DELETE_SECONDS = 60


def remove_others(cluster: Cluster, namespace: str, wanted: Autoscaling) -> None:
    """Removes the autoscalers of another choice, because two for one workload overrule each other.

    No pod starts or stops.

    Raises:
        FailedError: an autoscaler of KEDA still exists after a minute.
    """
    if wanted is Autoscaling.KEDA:
        for item in _autoscalers(cluster, namespace):
            if not made_by_keda(item):
                cluster.call("delete", "hpa", item["metadata"]["name"], "--namespace", namespace, "--ignore-not-found")
    elif keda.installed(cluster):
        _delete_scaled_objects(cluster, namespace)


def made_by_keda(autoscaler: Any) -> bool:
    """Whether a ScaledObject owns this HorizontalPodAutoscaler, so that both are deleted together."""
    return any(owner["kind"] == "ScaledObject" for owner in autoscaler["metadata"].get("ownerReferences") or [])


def _autoscalers(cluster: Cluster, namespace: str) -> list[Any]:
    items: list[Any] = cluster.get("hpa", "--namespace", namespace)["items"]
    return items


def _delete_scaled_objects(cluster: Cluster, namespace: str) -> None:
    names = [item["metadata"]["name"] for item in cluster.get(SCALED_OBJECTS, "--namespace", namespace)["items"]]
    if not names:
        return
    operators = cluster.get("deployments", f"--field-selector=metadata.name={OPERATOR}", "--namespace", KEDA.name)[
        "items"
    ]
    if not any(item["status"].get("readyReplicas") for item in operators):
        # Only the operator removes the finalizer of a ScaledObject. Without it the deletion would never end.
        for name in names:
            patch = json.dumps({"metadata": {"finalizers": None}})
            cluster.call("patch", SCALED_OBJECTS, name, "--namespace", namespace, "--type", "merge", "--patch", patch)
    cluster.call("delete", SCALED_OBJECTS, *names, "--namespace", namespace, f"--timeout={DELETE_SECONDS}s")

    def gone() -> bool:
        return not any(made_by_keda(item) for item in _autoscalers(cluster, namespace))

    if not wait_until(gone, DELETE_SECONDS):
        raise FailedError(
            "an autoscaler of KEDA still exists", f"Delete it: kubectl --namespace {namespace} delete hpa --all"
        )
