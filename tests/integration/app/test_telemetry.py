"""The spans, the log line and the exemplar of a request carry the same trace ID."""

from collections.abc import Iterator

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.app.conftest import StartService
from tests.integration.app.modes import MODES
from tests.integration.app.receiver import Receiver
from tests.integration.app.service import Service
from tests.polling import poll_until

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACED = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "X-User-Id": "ann"}
OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def traced_shop(database: str, start: StartService, receiver: Receiver) -> Service:
    service = start(database, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{receiver.address}")
    service.wait_until_ready()
    return service


def spans_of(receiver: Receiver, trace: str) -> list[Span]:
    return [span for span in receiver.spans() if span.trace_id.hex() == trace]


def attributes(span: Span) -> dict[str, str]:
    return {attribute.key: attribute.value.string_value for attribute in span.attributes}


def test_a_request_creates_a_span_for_its_route_and_one_for_its_statement(
    traced_shop: Service, receiver: Receiver
) -> None:
    httpx2.get(f"{traced_shop.url}/products/1", headers=TRACED)
    spans = poll_until(lambda: spans_of(receiver, TRACE), "the spans of the request")

    route = next(span for span in spans if span.kind == Span.SPAN_KIND_SERVER)
    statement = next(span for span in spans if span.kind == Span.SPAN_KIND_CLIENT)
    assert attributes(route)["http.route"] == "/products/{product_id}"
    assert attributes(statement)["db.query.text"].startswith("SELECT * FROM products")
    assert statement.parent_span_id == route.span_id
    assert route.parent_span_id.hex() == "b7ad6b7169203331"
    assert len(spans) == 2, [span.name for span in spans]


def test_the_log_line_and_the_exemplar_carry_the_trace_of_the_request(traced_shop: Service) -> None:
    httpx2.get(f"{traced_shop.url}/products/1", headers=TRACED)
    line = poll_until(
        lambda: next((line for line in traced_shop.lines if line.get("path") == "/products/1"), None), "the access line"
    )
    assert (line["trace_id"], line["user_id"], line["status"]) == (TRACE, "ann", 200)
    assert len(line["span_id"]) == 16

    metrics = httpx2.get(f"{traced_shop.url}/metrics", headers=OPEN_METRICS)
    assert metrics.headers["content-type"].startswith("application/openmetrics-text")
    observed = [
        sample for sample in metrics.text.splitlines() if sample.startswith("http_request_duration_seconds_bucket")
    ]
    assert any(f'trace_id="{TRACE}"' in sample for sample in observed), observed


def test_probes_and_scrapes_create_no_spans(traced_shop: Service, receiver: Receiver) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        httpx2.get(f"{traced_shop.url}{path}")
    httpx2.get(f"{traced_shop.url}/products", headers=TRACED)
    poll_until(lambda: spans_of(receiver, TRACE), "the span that was sent last")

    # The probes' own SQL statements create no spans either.
    assert {span.trace_id.hex() for span in receiver.spans()} == {TRACE}
    assert {span.name for span in receiver.spans()} == {"GET /products", "SELECT"}


@pytest.mark.parametrize("mode", MODES)
def test_the_last_spans_are_sent_before_the_process_ends(
    mode: str, database: str, start: StartService, receiver: Receiver
) -> None:
    service = start(database, mode, DRAIN_SECONDS="0", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{receiver.address}")
    service.wait_until_ready()
    httpx2.get(f"{service.url}/products", headers=TRACED)
    service.terminate()
    service.wait_for_exit(20)
    assert spans_of(receiver, TRACE), "the trace of the last request was lost"


def test_a_scrape_does_not_count_as_in_flight(shop: Service) -> None:
    assert "http_requests_in_flight 0.0" in httpx2.get(f"{shop.url}/metrics").text


def test_prometheus_text_format_is_the_default(shop: Service) -> None:
    metrics = httpx2.get(f"{shop.url}/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "database_pool_acquire_seconds_bucket" in metrics.text
