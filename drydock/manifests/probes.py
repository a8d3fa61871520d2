"""A probe's timing."""

from drydock.manifests.objects import Object

# Kubernetes' own defaults: kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe
PERIOD_SECONDS, TIMEOUT_SECONDS, FAILURE_THRESHOLD = 10, 1, 3


def period(probe: Object) -> int:
    """Seconds between two attempts."""
    return int(probe.get("periodSeconds", PERIOD_SECONDS))


def timeout(probe: Object) -> int:
    """Seconds that one attempt may take."""
    return int(probe.get("timeoutSeconds", TIMEOUT_SECONDS))


def patience(probe: Object) -> int:
    """Seconds of failures until the kubelet acts."""
    return period(probe) * int(probe.get("failureThreshold", FAILURE_THRESHOLD))
