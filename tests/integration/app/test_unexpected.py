"""An unhandled exception gives the client a plain 500, and the operators a log line with the details."""

import json

import httpx2

from tests.integration.app.conftest import StartService
from tests.integration.app.postgres import run_sql
from tests.integration.app.receiver import Receiver
from tests.integration.app.service import Service
from tests.integration.app.test_telemetry import TRACE, TRACED
from tests.polling import poll_until

# Breaks the schema: a product without a name.
SABOTAGE = ("ALTER TABLE products ALTER name DROP NOT NULL", "UPDATE products SET name = NULL")


def provoke(service: Service, database: str) -> httpx2.Response:
    for statement in SABOTAGE:
        run_sql(database, statement)
    return httpx2.get(f"{service.url}/products", headers=TRACED)


def test_the_response_is_a_problem_without_internal_details(shop: Service, database: str) -> None:
    response = provoke(shop, database)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["X-Served-By"] == "test-pod"
    assert "validation" not in response.text


def test_the_exception_is_logged_with_its_trace_and_reported_to_sentry(database: str, start: StartService) -> None:
    with Receiver() as receiver:
        service = start(
            database,
            SENTRY_DSN=f"http://key@{receiver.address}/1",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{receiver.address}",
        )
        service.wait_until_ready()
        provoke(service, database)
        line = poll_until(
            lambda: next((line for line in service.lines if line["message"] == "unexpected"), None), "the log line"
        )
        assert line["trace_id"] == TRACE
        assert "ValidationError" in line["exc_info"]

        envelope = poll_until(
            lambda: next((body for path, body in receiver.bodies if path == "/api/1/envelope/"), None),
            "the report to arrive at Sentry",
        )
    event = json.loads(envelope.splitlines()[2])
    assert event["tags"]["trace_id"] == TRACE
    assert event["exception"]["values"][-1]["type"] == "ValidationError"


def test_expected_errors_are_not_reported_to_sentry(database: str, start: StartService) -> None:
    with Receiver() as receiver:
        service = start(database, SENTRY_DSN=f"http://key@{receiver.address}/1", DRAIN_SECONDS="0")
        service.wait_until_ready()
        assert httpx2.get(f"{service.url}/orders/9").status_code == 404
        assert httpx2.post(f"{service.url}/orders", json={}).status_code == 422
        service.terminate()
        service.wait_for_exit(20)  # the client's queue is flushed by then
        assert not [path for path, _ in receiver.bodies if "envelope" in path]
