"""The identity of this process: the same OpenTelemetry resource in traces, metrics and logs."""

from app.settings import Settings


def resource(settings: Settings) -> dict[str, str]:
    """The resource attributes of this process. Outside Kubernetes the `k8s.*` attributes are absent."""
    attributes = {
        "service.name": settings.service_name,
        "service.version": settings.service_version,
        "service.instance.id": settings.pod_name,
    }
    if settings.pod_namespace is not None:
        attributes |= {"k8s.namespace.name": settings.pod_namespace, "k8s.pod.name": settings.pod_name}
    if settings.node_name is not None:
        attributes["k8s.node.name"] = settings.node_name
    return attributes
