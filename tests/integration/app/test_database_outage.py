"""A database outage under load causes only 503s and no restart. The service recovers within seconds."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Literal

import asyncpg
import httpx2
import pytest

from tests.integration.app.conftest import StartService
from tests.integration.app.postgres import Postgres
from tests.integration.app.service import Service
from tests.integration.app.traffic import Traffic
from tests.polling import poll_until_async


@contextlib.asynccontextmanager
async def outage(postgres: Postgres, mode: Literal["fast", "immediate"]) -> AsyncIterator[None]:
    """Stop the server during the block and start it again afterwards."""
    await asyncio.to_thread(postgres.stop, mode)
    try:
        yield
    finally:
        await asyncio.to_thread(postgres.start)


async def accepts(dsn: str) -> bool:
    with contextlib.suppress(OSError, asyncpg.PostgresError):
        connection = await asyncpg.connect(dsn, timeout=1)
        await connection.close()
        return True
    return False


@pytest.mark.parametrize("mode", ["fast", pytest.param("immediate", marks=pytest.mark.slow)])
async def test_a_database_restart_causes_only_503s_and_no_restart_of_the_service(
    mode: Literal["fast", "immediate"], shop: Service, database: str, postgres: Postgres
) -> None:
    pid = shop.pid
    async with Traffic(f"{shop.url}/products", rate=100) as traffic, httpx2.AsyncClient(base_url=shop.url) as probes:
        await poll_until_async(lambda: seen(traffic, 200), "the first responses")
        async with outage(postgres, mode):
            await poll_until_async(lambda: seen(traffic, 503), "the first 503s")
            ready = await probes.get("/health/ready")
            live = await probes.get("/health/live")
        await poll_until_async(lambda: accepts(database), "the database to accept connections")
        back = time.time()
        await poll_until_async(lambda: succeeded_since(traffic, back), "the first success", seconds=10)
        recovery = min(outcome.sent for outcome in traffic.outcomes if outcome.result == 200 and outcome.sent > back)
        await poll_until_async(lambda: ready_again(probes), "the service to be ready again", seconds=10)

    print(f"{mode}: {traffic.counted()}, first success {recovery - back:.2f} s after the database restarted")
    unforeseen = [line["exc_info"][-1500:] for line in shop.lines if line["message"] == "unexpected"]
    assert traffic.counted().keys() == {200, 503}, f"{traffic.counted()}\n{''.join(unforeseen)}"
    assert all(outcome.retry_after for outcome in traffic.outcomes if outcome.result == 503)
    assert (live.status_code, ready.status_code) == (200, 503)
    assert ready.json()["checks"]["database"].startswith("unreachable")
    assert recovery - back < 2, f"the first success came {recovery - back:.2f} s after the database restarted"
    assert (shop.running, shop.pid) == (True, pid)


@pytest.mark.slow
async def test_a_service_started_without_its_database_waits_for_it(
    database: str, postgres: Postgres, start: StartService
) -> None:
    async with outage(postgres, "fast"):
        service = start(database)
        await asyncio.to_thread(service.wait_until_live)
        response = await asyncio.to_thread(service.get, "/products")
        assert response is not None
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert not await asyncio.to_thread(service.is_ready)
    await asyncio.to_thread(service.wait_until_ready)
    assert service.running


async def test_readiness_answers_within_its_bound_while_the_database_is_frozen(
    database: str, start: StartService
) -> None:
    """The peer accepts connections and never answers, like a frozen database."""

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the client disconnects
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as frozen:
        port = frozen.sockets[0].getsockname()[1]
        service = start(f"postgresql://app:app@127.0.0.1:{port}/app", READINESS_SECONDS="0.5")
        await asyncio.to_thread(service.wait_until_live)
        async with httpx2.AsyncClient(base_url=service.url) as client:
            began = time.monotonic()
            ready = await client.get("/health/ready")
            took = time.monotonic() - began

    assert ready.status_code == 503
    assert took < 1.5, f"readiness took {took:.2f} s; its timeout is 0.5 s"


async def seen(traffic: Traffic, result: int) -> bool:
    return traffic.counted()[result] > 20


async def succeeded_since(traffic: Traffic, moment: float) -> bool:
    return traffic.counted(since=moment)[200] > 0


async def ready_again(probes: httpx2.AsyncClient) -> bool:
    return (await probes.get("/health/ready")).status_code == 200
