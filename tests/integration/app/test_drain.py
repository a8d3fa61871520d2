"""The shutdown after SIGTERM, in each way to run the service's command."""

import asyncio
import contextlib
import time

import httpx2
import pytest

from tests.integration.app.conftest import StartService
from tests.integration.app.modes import EXIT_CODES, MODES
from tests.integration.app.postgres import run_sql
from tests.integration.app.service import Service
from tests.integration.app.traffic import Traffic
from tests.lifecycle import SHUTDOWN
from tests.polling import poll_until, poll_until_async


@pytest.mark.parametrize("mode", MODES)
async def test_no_request_sent_before_the_listener_closes_is_lost(
    mode: str, database: str, start: StartService
) -> None:
    # A long timeout, because on a slow machine requests may wait for a pool connection. This test measures the drain.
    service = start(database, mode, DRAIN_SECONDS="3", DATABASE_ACQUIRE_SECONDS="10")
    service.wait_until_ready()

    async with Traffic(f"{service.url}/products", rate=200) as traffic:
        await poll_until_async(lambda: enough(traffic, 200), "200 requests before the signal")
        signalled = service.terminate()
        code = await asyncio.to_thread(service.wait_for_exit, 20)
    closed = service.when("drained")

    print(f"{mode}: {traffic.counted(until=closed)} sent before the listener closed")
    assert code == EXIT_CODES[mode], "".join(service.output[-20:])
    assert closed - signalled >= 2.9, "the listener closed before the drain was over"
    assert not traffic.failures(until=closed), f"the listener closed at {closed}"
    assert traffic.counted(since=signalled, until=closed).total() > 50, "too few requests for a conclusion"


async def test_without_a_drain_requests_are_lost(database: str, start: StartService) -> None:
    """The negative control: the same traffic loses requests within the same three seconds."""
    service = start(database, DRAIN_SECONDS="0")
    service.wait_until_ready()

    async with Traffic(f"{service.url}/products", rate=200) as traffic:
        await poll_until_async(lambda: enough(traffic, 100), "100 requests before the signal")
        signalled = service.terminate()
        await asyncio.to_thread(service.wait_for_exit, 20)
        await poll_until_async(lambda: enough(traffic, 300), "200 more requests")

    after = traffic.counted(since=signalled, until=signalled + 3)
    assert sum(count for result, count in after.items() if result != 200) > 0, after


@pytest.mark.parametrize("mode", MODES)
def test_every_step_of_the_shutdown_is_logged_in_order(mode: str, database: str, start: StartService) -> None:
    service = start(database, mode)
    service.wait_until_ready()
    service.terminate()
    service.wait_for_exit(20)

    events = service.events(*SHUTDOWN)
    processes = 2 if mode == "workers" else 1
    assert sorted(events) == sorted(SHUTDOWN * processes)
    if processes == 1:
        assert events == SHUTDOWN


async def test_while_draining_readiness_fails_and_every_response_closes_its_connection(
    database: str, start: StartService
) -> None:
    service = start(database, DRAIN_SECONDS="3")
    service.wait_until_ready()
    service.terminate()
    service.when("draining")

    async with httpx2.AsyncClient(base_url=service.url) as client:
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["checks"]["draining"] == "in progress"
        for path in ("/health/live", "/products", "/no/such/route", "/products/0"):
            response = await client.get(path)
            assert response.headers.get("Connection") == "close", f"{path} keeps its connection open"
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/products")).status_code == 200


async def test_a_request_in_flight_is_finished_after_the_listener_closed(database: str, start: StartService) -> None:
    service = start(database, FAULTS_ENABLED="true")
    service.wait_until_ready()
    async with httpx2.AsyncClient(base_url=service.url, timeout=20) as client:
        await client.put("/faults", json={"latency_seconds": 3})
        slow = asyncio.create_task(client.get("/products"))
        await poll_until_async(lambda: in_flight(service), "the slow request to be in flight")
        service.terminate()
        response = await slow

    assert response.status_code == 200
    assert time.time() > service.when("drained"), "the request ended too early, before the listener closed"
    assert service.wait_for_exit(20) == 143


async def test_a_request_that_exceeds_the_graceful_timeout_gets_a_503_and_the_process_ends(
    database: str, start: StartService
) -> None:
    service = start(database, FAULTS_ENABLED="true", GRACEFUL_SECONDS="1", DRAIN_SECONDS="0.5")
    service.wait_until_ready()
    async with httpx2.AsyncClient(base_url=service.url, timeout=40) as client:
        await client.put("/faults", json={"latency_seconds": 30})
        slow = asyncio.create_task(client.get("/products"))
        await poll_until_async(lambda: in_flight(service), "the slow request to be in flight")
        signalled = time.monotonic()
        service.terminate()
        response = await slow
    service.wait_for_exit(10)

    assert response.status_code == 503
    assert "Retry-After" in response.headers
    assert time.monotonic() - signalled < 5


def test_a_stream_ends_when_draining_starts(shop: Service) -> None:
    lines: list[str] = []
    with httpx2.stream("GET", f"{shop.url}/orders/stream", timeout=20) as stream:
        received = stream.iter_lines()
        lines.append(next(received))
        shop.terminate()
        lines += list(received)
    ended = time.time()

    assert "event: end" in lines
    assert ended < shop.when("drained"), "the stream lasted until the listener closed"
    assert shop.wait_for_exit(20) == 143


def test_a_client_that_reads_nothing_does_not_delay_the_end_of_the_process(database: str, start: StartService) -> None:
    service = start(database, GRACEFUL_SECONDS="1", DRAIN_SECONDS="0.2")
    service.wait_until_ready()
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(httpx2.stream("GET", f"{service.url}/orders/stream", timeout=20))
        service.terminate()
        assert service.wait_for_exit(8) == 143


def test_a_pool_connection_in_use_does_not_delay_the_end_of_the_process(database: str, start: StartService) -> None:
    service = start(database, FAULTS_ENABLED="true", GRACEFUL_SECONDS="1", DRAIN_SECONDS="0.2", POOL_CLOSE_SECONDS="1")
    service.wait_until_ready()
    run_sql(database, "ALTER TABLE products RENAME TO shelf")
    run_sql(database, "CREATE VIEW products AS SELECT shelf.* FROM shelf, pg_sleep(60)")
    with contextlib.suppress(httpx2.TransportError):
        httpx2.get(f"{service.url}/products", timeout=0.3)
    service.terminate()
    assert service.wait_for_exit(10) == 143
    assert service.events(*SHUTDOWN) == SHUTDOWN


def test_a_second_sigterm_has_no_effect(database: str, start: StartService) -> None:
    service = start(database, DRAIN_SECONDS="1")
    service.wait_until_ready()
    first = service.terminate()
    service.when("draining")
    service.terminate()
    assert service.wait_for_exit(20) == 143
    assert service.when("drained") - first >= 0.9
    assert service.events(*SHUTDOWN) == SHUTDOWN


def test_sigterm_during_startup_ends_the_process(database: str, start: StartService) -> None:
    service = start(database)
    poll_until(lambda: service.events("startup"), "the log line startup")
    service.terminate()
    assert service.wait_for_exit(10) in (0, 143)


async def enough(traffic: Traffic, count: int) -> bool:
    return len(traffic.outcomes) >= count


async def in_flight(service: Service) -> bool:
    metrics = await asyncio.to_thread(service.get, "/metrics")
    return metrics is not None and "http_requests_in_flight 1.0" in metrics.text
