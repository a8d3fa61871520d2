"""The resource attributes of a process, by OpenTelemetry's names."""

from app.observability.resource import resource
from app.settings import Settings


def resource_of(**settings: str) -> dict[str, str]:
    return resource(Settings.model_validate({"database_url": "postgresql://a:b@127.0.0.1:9/c", **settings}))


def test_a_pod_has_the_attributes_of_its_node_and_namespace() -> None:
    pod = {"pod_name": "shop-1", "node_name": "worker", "pod_namespace": "shop", "service_version": "1.2"}
    assert resource_of(**pod) == {
        "service.name": "shop",
        "service.version": "1.2",
        "service.instance.id": "shop-1",
        "k8s.pod.name": "shop-1",
        "k8s.node.name": "worker",
        "k8s.namespace.name": "shop",
    }


def test_outside_kubernetes_there_are_no_kubernetes_attributes() -> None:
    assert resource_of(pod_name="laptop").keys() == {"service.name", "service.version", "service.instance.id"}
