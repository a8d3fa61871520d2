"""With the collector down, requests are not affected, the process ends in time, and the log counts the lost spans."""

import asyncio
import functools
import re
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx2
import pytest

from tests.integration.app.conftest import StartService
from tests.integration.app.far_ends import black_holed, frozen, refused, unresolvable
from tests.integration.app.modes import EXIT_CODES, MODES
from tests.integration.app.receiver import Receiver
from tests.integration.app.service import Service, free_port
from tests.integration.app.test_telemetry import TRACED
from tests.integration.app.traffic import Traffic
from tests.polling import poll_until, poll_until_async

type FarEnd = Callable[[], AbstractContextManager[str]]

REQUESTS = 20
SPANS = 2 * REQUESTS  # one for the route, one for its statement
FLUSH_SECONDS = 1
# Everything but the flush: the signal, the server's own stop, the pool, and the polling interval (0.5 s) of the
# --workers parent. A process that waited for the exporter would take 7 to 30 s (see app/observability/tracing.py).
OTHERWISE_SECONDS = 3
# A request that waited for the collector would take at least the export timeout, 2 s. A request normally takes some
# milliseconds, and took 0.35 s on a machine with eight times more runnable processes than cores.
CEILING_SECONDS = 1.5


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("far_end", [refused, frozen, black_holed, unresolvable])
def test_the_process_ends_within_its_budget_and_logs_the_number_of_lost_spans(
    far_end: FarEnd, mode: str, database: str, start: StartService
) -> None:
    with far_end() as endpoint:
        service = start_traced(start, database, endpoint, mode)
        order_spans(service)
        began = time.monotonic()
        service.terminate()
        code = service.wait_for_exit(20)
        took = time.monotonic() - began

    assert code == EXIT_CODES[mode]
    assert took < FLUSH_SECONDS + OTHERWISE_SECONDS
    flushes = lines(service, "telemetry_flushed")
    assert len(flushes) == (2 if mode == "workers" else 1)
    assert sum(line["lost"] for line in flushes) == SPANS
    assert all(line["level"] == ("WARNING" if line["lost"] else "INFO") for line in flushes)
    assert all((line["delivered"], line["seconds"] <= FLUSH_SECONDS + 1) == (0, True) for line in flushes)


def test_the_shutdown_logs_the_number_of_delivered_spans(database: str, start: StartService) -> None:
    with Receiver() as receiver:
        service = start_traced(start, database, f"http://{receiver.address}")
        order_spans(service)
        service.terminate()
        service.wait_for_exit(20)
        arrived = len(list(receiver.spans()))

    [flushed] = lines(service, "telemetry_flushed")
    assert (flushed["level"], flushed["complete"]) == ("INFO", True)
    assert (flushed["delivered"], flushed["lost"]) == (SPANS, 0)
    assert arrived == SPANS


@pytest.mark.slow
def test_an_outage_is_logged_once_when_it_begins_and_once_when_it_ends(database: str, start: StartService) -> None:
    port = free_port()
    service = start_traced(start, database, f"http://127.0.0.1:{port}")
    assert spans(service) == {"delivered": 0, "lost": 0}, "both series must exist from the start"
    for ordered in (SPANS, 2 * SPANS):  # at least two exports fail
        order_spans(service)
        poll_until(functools.partial(has_lost, service, ordered), f"{ordered} spans to be lost")

    with Receiver(port):
        order_spans(service)
        poll_until(lambda: spans(service)["delivered"], "spans to be delivered again")
        [recovered] = poll_until(lambda: lines(service, "telemetry_recovered"), "the log line telemetry_recovered")

    [failing] = lines(service, "telemetry_failing")
    assert failing["level"] == "WARNING"
    assert failing["endpoint"] == f"http://127.0.0.1:{port}"
    assert "refused" in failing["reason"]
    assert (recovered["level"], recovered["lost"]) == ("INFO", spans(service)["lost"])
    noise = [line for line in service.lines if line["logger"].startswith(("opentelemetry", "urllib3"))]
    assert not noise


@pytest.mark.slow
async def test_a_hanging_collector_does_not_slow_requests(database: str, start: StartService) -> None:
    """Two services get the same traffic at the same time: the collector of one answers, that of the other hangs."""
    with Receiver() as receiver, frozen() as hanging:
        services = [start_traced(start, database, f"http://{receiver.address}"), start_traced(start, database, hanging)]
        async with (
            Traffic(f"{services[0].url}/products/1", rate=60) as answering,
            Traffic(f"{services[1].url}/products/1", rate=60) as hung,
        ):
            # The first export has timed out, and the second is in progress.
            await poll_until_async(lambda: asyncio.to_thread(has_lost, services[1], 1), "the first lost span")
            noticed = len(hung.outcomes)
            await poll_until_async(lambda: outlasts(hung, noticed + 60), "another second of traffic")

    print(f"p99: {p99(answering) * 1000:.0f} ms, and {p99(hung) * 1000:.0f} ms while the collector hangs")
    assert not answering.failures()
    assert not hung.failures()
    assert p99(hung) < CEILING_SECONDS
    assert spans(services[0])["lost"] == 0, "the baseline service lost spans"


def start_traced(start: StartService, database: str, endpoint: str, mode: str = "plain") -> Service:
    service = start(
        database,
        mode,
        DRAIN_SECONDS="0",
        TELEMETRY_FLUSH_SECONDS=str(FLUSH_SECONDS),
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
    )
    service.wait_until_ready()
    return service


def order_spans(service: Service) -> None:
    for _ in range(REQUESTS):
        assert httpx2.get(f"{service.url}/products/1", headers=TRACED).status_code == 200


def lines(service: Service, message: str) -> list[dict[str, Any]]:
    return [line for line in list(service.lines) if line["message"] == message]


def spans(service: Service) -> dict[str, int]:
    metrics = httpx2.get(f"{service.url}/metrics").text
    found = re.findall(r'^telemetry_spans_total\{result="(\w+)"\} (\d+)', metrics, re.MULTILINE)
    return {result: int(count) for result, count in found}


def has_lost(service: Service, count: int) -> bool:
    return spans(service)["lost"] >= count


async def outlasts(traffic: Traffic, count: int) -> bool:
    return len(traffic.outcomes) >= count


def p99(traffic: Traffic) -> float:
    return statistics.quantiles((outcome.seconds for outcome in traffic.outcomes), n=100)[-1]
