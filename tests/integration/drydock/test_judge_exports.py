"""What the judge exports: its last counts are scraped, and its spans begin the traces of the service."""

import asyncio
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from drydock.core.project import Project
from drydock.judge import exports
from drydock.judge.exchange import Lane
from drydock.judge.exports import ENDPOINT, PORT, SHARE, Exports
from drydock.judge.plan import Plan
from drydock.judge.run import WARM
from drydock.local.postgres import EmbeddedPostgres
from drydock.requests.outcome import Outcome
from tests.integration.app.migration import migrate
from tests.integration.app.postgres import run_sql
from tests.integration.app.receiver import Receiver
from tests.integration.app.service import Service, free_port, running
from tests.integration.drydock.judged import GET, after_warming_up, judge, plan
from tests.integration.drydock.misbehaving import Server, answering, healthy, resetting
from tests.polling import poll_until

OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
CONFIGURED = Project.find(Path(__file__)).configuration.judge
# The bit of a traceparent's flags: https://www.w3.org/TR/trace-context-2/#sampled-flag
SAMPLED = 1
SAMPLE = re.compile(r"^(?P<series>\S+?(?:\{.*?\})?) (?P<value>[0-9.e+]+)(?: # (?P<exemplar>.*))?$")


@dataclass
class Prometheus:
    """Scrapes /metrics again and again, for as long as somebody serves it."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    scrapes: list[httpx2.Response] = field(default_factory=list)

    async def __call__(self, _: asyncio.subprocess.Process) -> None:
        async with httpx2.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    self.scrapes.append(await client.get(self.url, headers=self.headers))
                except httpx2.HTTPError:
                    return
                await asyncio.sleep(0.1)


def samples(text: str) -> dict[str, float]:
    """The samples of an exposition, by name with labels."""
    found = [SAMPLE.match(line) for line in text.splitlines() if not line.startswith("#")]
    return {match["series"]: float(match["value"]) for match in found if match}


def total(values: dict[str, float], outcome: Outcome) -> float:
    name = f'client_requests_total{{outcome="{outcome}"'
    return sum(value for series, value in values.items() if series.startswith(name))


def metrics(port: int) -> str:
    return f"http://127.0.0.1:{port}/metrics"


async def test_every_outcome_has_a_series_from_the_start_and_the_last_counts_are_scraped(tmp_path: Path) -> None:
    prometheus = Prometheus(metrics(port := free_port()))
    behaviours = {10: resetting, 11: answering("503 Not Now")}
    async with Server(lambda number: behaviours.get(after_warming_up(number), healthy)) as server:
        wanted = plan(server.url, rate=40, seconds=1.5)
        judged = await judge(wanted, tmp_path, prometheus, variables={PORT: str(port)})

    first, last = (samples(scrape.text) for scrape in (prometheus.scrapes[0], prometheus.scrapes[-1]))
    series = {
        f'client_requests_total{{outcome="{it}",method="GET",route="{GET.route}",lane="{lane}"}}'
        for it in Outcome
        for lane in (Lane.FRESH, Lane.KEPT)
    }
    assert series <= first.keys(), "a series that begins with its first loss has no rate at that moment"
    found = {it: total(last, it) for it in Outcome if total(last, it)}
    assert found == {Outcome.OK: len(judged.records) - 2, Outcome.RESET: 1, Outcome.SERVER_ERROR: 1}
    assert last["client_request_duration_seconds_count"] == len(judged.records) - 1, "of those that came whole"
    assert last['client_request_duration_seconds_bucket{le="+Inf"}'] == len(judged.records) - 1
    assert last["client_late_starts_total"] == judged.summary["late"]
    assert {"scraped": True} in judged.said
    assert judged.said[-1] == {"ended": 0, "counted": len(judged.records)}


async def test_metrics_are_open_metrics_for_those_who_ask_and_a_sample_leads_to_its_trace(tmp_path: Path) -> None:
    prometheus = Prometheus(metrics(port := free_port()), OPEN_METRICS)
    with Receiver() as collector:
        variables = {PORT: str(port), ENDPOINT: f"http://{collector.address}", SHARE: "1"}
        async with Server() as server:
            await judge(plan(server.url, rate=20, seconds=1), tmp_path, prometheus, variables=variables)
        traces = {span.trace_id.hex() for span in collector.spans()}

    last = prometheus.scrapes[-1]
    assert last.headers["content-type"].startswith("application/openmetrics-text")
    assert last.text.endswith("# EOF\n")
    assert "# TYPE client_requests counter" in last.text.splitlines()
    exemplars = [match["exemplar"] for line in last.text.splitlines() if (match := SAMPLE.match(line))]
    named = [re.findall(r'trace_id="(\w+)"', exemplar) for exemplar in exemplars if exemplar]
    assert named
    assert {trace for found in named for trace in found} <= traces


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/metrics?x=1", 200)])
async def test_only_metrics_are_served(path: str, status: int) -> None:
    port = free_port()
    opened = Exports(plan("http://127.0.0.1"), 0.0, {PORT: str(port)})
    await opened.open()
    async with httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://127.0.0.1:{port}{path}")).status_code == status


async def test_without_a_scrape_it_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "SCRAPE_SECONDS", 0.2)
    opened = Exports(plan("http://127.0.0.1"), 0.0, {PORT: str(free_port())})
    await opened.open()

    assert await opened.scraped(asyncio.Event()) is False


async def test_a_scrape_that_began_before_the_end_is_not_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "SCRAPE_SECONDS", 0.2)
    opened = Exports(plan("http://127.0.0.1"), 0.0, {PORT: str(port := free_port())})
    await opened.open()
    async with httpx2.AsyncClient(trust_env=False) as client:
        await client.get(metrics(port))

    assert await opened.scraped(asyncio.Event()) is False


async def test_another_signal_ends_the_wait_for_a_scrape(tmp_path: Path) -> None:
    async def end_it_twice(process: asyncio.subprocess.Process) -> None:
        await asyncio.sleep(0.5)
        process.terminate()
        await asyncio.sleep(1)
        process.terminate()

    async with Server() as server:
        ended = judge(plan(server.url, seconds=60), tmp_path, end_it_twice, variables={PORT: str(free_port())})
        judged = await asyncio.wait_for(ended, exports.SCRAPE_SECONDS)

    assert {"scraped": False} in judged.said
    assert judged.said[-1] == {"ended": 0, "counted": len(judged.records)}


async def test_nothing_is_served_and_nobody_is_waited_for_unless_it_is_asked_for(tmp_path: Path) -> None:
    async with Server() as server:
        judged = await judge(plan(server.url, rate=20, seconds=1), tmp_path)

    assert not [line for line in judged.said if "scraped" in line]


async def test_a_port_that_is_taken_is_said_with_the_variable(tmp_path: Path) -> None:
    async with Server() as server:
        taken = server.url.rsplit(":", 1)[1]
        judged = await judge(plan(server.url), tmp_path, variables={PORT: taken})

    assert judged.code == 2
    assert f"port {taken} for /metrics cannot be taken" in judged.said[-1]["reason"]


async def test_a_lost_request_leaves_a_span_with_its_error(tmp_path: Path) -> None:
    behaviours = {10: resetting, 11: answering("503 Not Now")}
    with Receiver() as collector:
        async with Server(lambda number: behaviours.get(after_warming_up(number), healthy)) as server:
            variables = {ENDPOINT: f"http://{collector.address}", SHARE: "1"}
            await judge(plan(server.url, rate=20, seconds=1), tmp_path, variables=variables)
        failed = [span for span in collector.spans() if span.status.code == Status.STATUS_CODE_ERROR]

    assert {attributes(span)["error.type"] for span in failed} == {"reset", "503"}
    assert len(failed) == 2


async def test_what_is_not_sampled_is_not_sent_and_the_service_is_told(tmp_path: Path) -> None:
    with Receiver() as collector:
        async with Server() as server:
            variables = {ENDPOINT: f"http://{collector.address}", SHARE: "0"}
            await judge(plan(server.url, rate=40, seconds=1), tmp_path, variables=variables)
        assert list(collector.spans()) == []

    flags = [int(request.headers["traceparent"].rsplit("-", 1)[1], 16) for request in server.requests[WARM:]]
    assert len(flags) == pytest.approx(40, abs=1)
    assert not any(flag & SAMPLED for flag in flags)


async def test_a_collector_that_is_gone_delays_nothing_and_is_said(tmp_path: Path) -> None:
    async with Server() as server:
        variables = {ENDPOINT: f"http://127.0.0.1:{free_port()}", SHARE: "1"}
        judged = await judge(plan(server.url, rate=40, seconds=1), tmp_path, variables=variables)

    assert judged.summary["lost_spans"] == len(judged.records) == pytest.approx(40, abs=1)
    assert {record.outcome for record in judged.records} == {Outcome.OK}


@pytest.mark.slow
async def test_a_collector_that_never_answers_is_given_up(tmp_path: Path) -> None:
    async with Server(lambda _: lambda _: None) as collector, Server() as server:
        variables = {ENDPOINT: collector.url, SHARE: "1"}
        judged = await judge(plan(server.url, rate=40, seconds=1), tmp_path, variables=variables)

    assert judged.code == 0
    assert judged.summary["lost_spans"] == len(judged.records)


async def test_a_share_of_traces_that_is_none_is_refused(tmp_path: Path) -> None:
    async with Server() as server:
        judged = await judge(plan(server.url), tmp_path, variables={SHARE: "all"})

    assert judged.code == 2
    assert "OTEL_TRACES_SAMPLER_ARG is 'all'" in judged.said[-1]["reason"]
    assert server.requests == []


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
def shop(database: str, service_spans: Receiver) -> Iterator[Service]:
    endpoint = f"http://{service_spans.address}"
    with running({"DATABASE_URL": database, "DRAIN_SECONDS": "0", ENDPOINT: endpoint}) as service:
        service.wait_until_ready()
        yield service


@pytest.mark.slow
async def test_at_the_service_each_order_is_placed_once_and_each_kept_trace_has_both_sides(
    shop: Service, database: str, service_spans: Receiver, tmp_path: Path
) -> None:
    wanted = replace(Plan.of(CONFIGURED, shop.url, rate=40, seconds=2), subjects=1, long_rate=0)
    identity = {"POD_NAME": "judge-abc", "NODE_NAME": "worker", "POD_NAMESPACE": "load"}
    with Receiver() as collector:
        variables = {ENDPOINT: f"http://{collector.address}", SHARE: "1", **identity}
        judged = await judge(wanted, tmp_path, variables=variables)
        sent, resource = list(collector.spans()), collector.resources()[0]

    assert {record.outcome for record in judged.records} == {Outcome.OK}
    keys = [record.key for record in judged.records if record.key]
    placed = await asyncio.to_thread(run_sql, database, "SELECT idempotency_key AS key FROM orders")
    assert len(keys) == len({row["key"] for row in placed} & set(keys))

    assert {(span.name, span.kind) for span in sent} == {
        (request.operation, Span.SPAN_KIND_CLIENT) for request in wanted.requests
    }
    assert len(sent) == len(judged.records)
    parents = {span.span_id: span.trace_id for span in sent}

    def joined() -> list[Span]:
        return [span for span in service_spans.spans() if parents.get(span.parent_span_id) == span.trace_id]

    routes = poll_until(lambda: joined() if len(joined()) == len(sent) else None, "a span of the service for each")
    assert {span.kind for span in routes} == {Span.SPAN_KIND_SERVER}

    listed = next(span for span in sent if span.name == "GET /products")
    assert 0 < listed.end_time_unix_nano - listed.start_time_unix_nano < 5e9
    assert attributes(listed) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": shop.port,
        "url.full": f"{shop.url}/products?limit=20",
        "url.template": "/products",
    }
    assert resource["service.name"] == "judge"
    assert resource["service.instance.id"] == resource["k8s.pod.name"] == "judge-abc"
    assert (resource["k8s.node.name"], resource["k8s.namespace.name"]) == ("worker", "load")


def attributes(span: Span) -> dict[str, Any]:
    values = {attribute.key: attribute.value for attribute in span.attributes}
    return {name: getattr(value, str(value.WhichOneof("value"))) for name, value in values.items()}
