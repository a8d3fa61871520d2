"""Spans, log lines and `target_info` carry the same identity."""

import re

import httpx2

from tests.integration.app.conftest import StartService
from tests.integration.app.receiver import Receiver
from tests.integration.app.test_telemetry import TRACED
from tests.polling import poll_until

POD = {
    "SERVICE_VERSION": "1.2.3",
    "POD_NAME": "shop-7",
    "NODE_NAME": "worker-2",
    "POD_NAMESPACE": "shop",
}
IDENTITY = {
    "service.name": "shop",
    "service.version": "1.2.3",
    "service.instance.id": "shop-7",
    "k8s.pod.name": "shop-7",
    "k8s.node.name": "worker-2",
    "k8s.namespace.name": "shop",
}


def test_spans_log_lines_and_metrics_name_the_same_pod(database: str, start: StartService) -> None:
    with Receiver() as receiver:
        service = start(database, DRAIN_SECONDS="0", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{receiver.address}", **POD)
        service.wait_until_ready()
        httpx2.get(f"{service.url}/products", headers=TRACED)
        metrics = httpx2.get(f"{service.url}/metrics").text
        resources = poll_until(receiver.resources, "the spans of the request")
        service.terminate()
        service.wait_for_exit(20)

    assert all(IDENTITY.items() <= resource.items() for resource in resources), resources
    # Every log line from the first to the last must carry the identity.
    assert {"startup", "request", "stopped"} <= {line["message"] for line in service.lines}
    nameless = [line for line in service.lines if not IDENTITY.items() <= line.items()]
    assert not nameless
    assert target_info(metrics) == {name.replace(".", "_"): value for name, value in IDENTITY.items()}


def target_info(metrics: str) -> dict[str, str]:
    [series] = re.findall(r"^target_info\{(.*)\} 1\.0$", metrics, re.MULTILINE)
    return dict(re.findall(r'(\w+)="([^"]*)"', series))
