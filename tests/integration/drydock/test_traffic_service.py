"""The load generator against the real service: all of it is answered, and its spans begin the service's traces."""

import asyncio
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from drydock.core.errors import CannotRunError
from drydock.local.postgres import EmbeddedPostgres
from drydock.traffic.metrics import Exposition
from drydock.traffic.options import Options
from drydock.traffic.run import run
from tests.integration.app.migration import migrate
from tests.integration.app.postgres import run_sql
from tests.integration.app.receiver import Receiver
from tests.integration.app.service import Service, free_port, running
from tests.integration.drydock.misbehaving import PREPARATION, Server, answering, healthy, resetting
from tests.polling import poll_until

REQUESTS = 40
# The bit of a traceparent's flags: https://www.w3.org/TR/trace-context-2/#sampled-flag
SAMPLED = 1


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    # pytest's own folder is not its user's to enter while another pytest starts.
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server:
        migration = migrate(server.dsn)
        assert migration.returncode == 0, migration.stdout
        yield server.dsn


@pytest.fixture
def service_spans() -> Iterator[Receiver]:
    """Where the service sends its spans."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Where the load generator sends its own."""
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{receiver.address}")
        yield receiver


@pytest.fixture
def shop(database: str, service_spans: Receiver) -> Iterator[Service]:
    endpoint = f"http://{service_spans.address}"
    with running({"DATABASE_URL": database, "DRAIN_SECONDS": "0", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}) as service:
        service.wait_until_ready()
        yield service


def options(url: str) -> Options:
    return Options(url, rate=REQUESTS, seconds=1, timeout=10, metrics_port=0, scrape_wait=0)


def attributes(span: Span) -> dict[str, object]:
    values = {attribute.key: attribute.value for attribute in span.attributes}
    return {name: getattr(value, str(value.WhichOneof("value"))) for name, value in values.items()}


async def test_every_order_is_placed_once_and_counted_on_its_product(shop: Service, database: str) -> None:
    assert await run(options(shop.url)) == 0
    newest = (await asyncio.to_thread(run_sql, database, "SELECT * FROM products ORDER BY id DESC LIMIT 1"))[0]
    assert newest["name"] == "traffic"
    assert newest["stocked"] - newest["stock"] == REQUESTS / 4 + 1


async def test_each_request_has_a_span_that_is_the_parent_of_the_services(
    shop: Service, spans: Receiver, service_spans: Receiver
) -> None:
    assert await run(options(shop.url)) == 0
    sent = list(spans.spans())
    assert {(span.name, span.kind) for span in sent} == {
        ("GET /products", Span.SPAN_KIND_CLIENT),
        ("GET /products/{product_id}", Span.SPAN_KIND_CLIENT),
        ("POST /orders", Span.SPAN_KIND_CLIENT),
        ("GET /orders/{order_id}", Span.SPAN_KIND_CLIENT),
        ("PUT /orders/{order_id}/receipt", Span.SPAN_KIND_CLIENT),
    }
    assert len(sent) == REQUESTS
    parents = {span.span_id: span.trace_id for span in sent}

    def joined() -> list[Span]:
        return [span for span in service_spans.spans() if parents.get(span.parent_span_id) == span.trace_id]

    routes = poll_until(lambda: joined() if len(joined()) == REQUESTS else None, "a span of the service for each")
    assert {span.kind for span in routes} == {Span.SPAN_KIND_SERVER}


async def test_a_span_says_what_was_asked_of_whom_and_who_asked(
    shop: Service, spans: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"POD_NAME": "traffic-abc", "NODE_NAME": "worker", "POD_NAMESPACE": "load"}.items():
        monkeypatch.setenv(name, value)
    await run(options(shop.url))
    said = attributes(next(span for span in spans.spans() if span.name == "GET /products"))
    assert said == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": shop.port,
        "url.full": f"{shop.url}/products?limit=20",
        "url.template": "/products",
    }
    resource = spans.resources()[0]
    assert resource["service.name"] == "traffic"
    assert resource["service.instance.id"] == resource["k8s.pod.name"] == "traffic-abc"
    assert (resource["k8s.node.name"], resource["k8s.namespace.name"]) == ("worker", "load")


async def test_a_lost_request_leaves_a_span_with_its_error(spans: Receiver) -> None:
    behaviours = {10: resetting, 11: answering("503 Not Now")}
    async with Server(lambda number: behaviours.get(number, healthy)) as server:
        assert await run(options(server.url)) == 1
    failed = [span for span in spans.spans() if span.status.code == Status.STATUS_CODE_ERROR]
    assert {attributes(span)["error.type"] for span in failed} == {"reset", "503"}
    assert len(failed) == 2


async def test_what_is_not_sampled_is_not_sent_and_the_service_is_told(
    spans: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    async with Server() as server:
        assert await run(options(server.url)) == 0
    assert list(spans.spans()) == []
    flags = [int(request.headers["traceparent"].rsplit("-", 1)[1], 16) for request in server.requests[PREPARATION:]]
    assert len(flags) == REQUESTS
    assert not any(flag & SAMPLED for flag in flags)


async def test_without_an_endpoint_no_trace_is_begun() -> None:
    async with Server() as server:
        assert await run(options(server.url)) == 0
    assert not [request for request in server.requests if "traceparent" in request.headers]


async def test_a_collector_that_is_gone_delays_nothing_and_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    async with Server() as server:
        assert await run(options(server.url)) == 0
    said = capsys.readouterr().out
    assert re.search(r"^spans +40 did not reach http://127.0.0.1:\d+$", said, re.MULTILINE), said
    assert "ok 40" in said


async def test_a_share_of_traces_that_is_none_is_refused(spans: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "all")
    async with Server() as server:
        with pytest.raises(CannotRunError, match="OTEL_TRACES_SAMPLER_ARG is 'all'"):
            await run(options(server.url))
    assert server.requests == []


async def test_a_sample_of_the_latency_leads_to_its_trace(spans: Receiver) -> None:
    async with Server() as server:
        await run(options(server.url))
    with Exposition(0) as exposition:
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        text = httpx2.get(f"http://127.0.0.1:{exposition.port}/metrics", headers=accept).text
    traces = {span.trace_id.hex() for span in spans.spans()}
    exemplars = [line for line in text.splitlines() if line.startswith("client_request_duration_seconds_bucket")]
    assert any(trace in line for line in exemplars for trace in traces)
