"""KEDA on the cluster."""

from drydock.cluster.kind import Cluster

SCALED_OBJECTS = "scaledobjects.keda.sh"


def installed(cluster: Cluster, *options: str) -> bool:
    """Whether the cluster has the resource ScaledObject. `options` are those of `kubectl get`.

    Raises:
        FailedError: the API server does not answer.
    """
    return bool(cluster.call("get", "crd", SCALED_OBJECTS, "--ignore-not-found", "--output", "name", *options))
