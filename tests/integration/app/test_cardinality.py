"""Clients cannot increase the cardinality of span names and metric labels with hostile paths and methods."""

import re

import httpx2
import pytest

from tests.integration.app.conftest import StartService
from tests.integration.app.receiver import Receiver
from tests.integration.app.service import Service
from tests.integration.app.test_telemetry import TRACED, attributes

ROUNDS = 20
PATHS = [
    "/no/such/{number}",
    "/products/{number}",
    "/products/{number}/",
    "/products/{number}/no/such",
    "//products//{number}",
    "/products/..%2f{number}%00",
    "/%F0%9F%90%9F{number}",
    "/" + "x" * 2000 + "{number}",
]
# WORD is not an HTTP method: uvicorn rejects it before the service sees it.
METHODS = ["WORD", "PURGE", "PROPFIND", "SEARCH", "DELETE"]

# A span without a route is named after its method. An unknown method is named HTTP.
NAMES = {
    "GET",
    "GET /products/{product_id}",
    "DELETE",
    "DELETE /products/{product_id}",
    "HTTP",
    "HTTP /products/{product_id}",
    "SELECT",
}
ROUTES = {"/products/{product_id}", None}
LABELS = {"handler": {"none", "/products/{product_id}"}, "method": {"GET", "DELETE", "other"}}


@pytest.mark.slow
def test_span_names_and_metric_labels_have_a_fixed_set_of_values(database: str, start: StartService) -> None:
    with Receiver() as receiver:
        service = start(database, DRAIN_SECONDS="0", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{receiver.address}")
        service.wait_until_ready()
        attack(service)
        metrics = httpx2.get(f"{service.url}/metrics").text
        service.terminate()
        service.wait_for_exit(20)
        spans = list(receiver.spans())

    # The sets must be equal: requests that never reached the service would prove nothing.
    assert {span.name for span in spans} == NAMES
    assert {attributes(span).get("http.route") for span in spans} == ROUTES
    assert {attributes(span).get("http.request.method") for span in spans} == {"GET", "DELETE", "_OTHER", None}
    for label, values in LABELS.items():
        assert set(re.findall(rf'^http_requests_total{{.*{label}="([^"]*)"', metrics, re.MULTILINE)) == values
    assert len(re.findall("^target_info{", metrics, re.MULTILINE)) == 1


def attack(service: Service) -> None:
    with httpx2.Client(base_url=service.url, headers=TRACED) as client:
        for number in range(ROUNDS):
            for path in PATHS:
                client.get(service.url + path.format(number=number))
            for method in METHODS:
                client.request(method, f"/products/{number}")
                client.request(method, f"/no/such/{number}")
