"""The I/O-bound fault: the pool limits its capacity, not the CPU."""

import asyncio
import time
from collections import Counter

import httpx2
import pytest

from tests.integration.app.conftest import StartService
from tests.integration.app.service import Service

POOL = 2
SECONDS = 0.2
REQUESTS = 10


@pytest.fixture
def slow(database: str, start: StartService) -> Service:
    service = start(
        database,
        FAULTS_ENABLED="true",
        DATABASE_POOL_SIZE=str(POOL),
        DATABASE_ACQUIRE_SECONDS="10",
        DATABASE_COMMAND_SECONDS="3",
    )
    service.wait_until_ready()
    return service


async def test_the_pool_limits_the_rate_of_slow_queries(slow: Service) -> None:
    async with httpx2.AsyncClient(base_url=slow.url, timeout=30) as client:
        began = time.monotonic()
        answers = await asyncio.gather(*(ask(client, SECONDS) for _ in range(REQUESTS)))
        took = time.monotonic() - began
        metrics = (await client.get("/metrics")).text

    shortest = REQUESTS * SECONDS / POOL
    assert Counter(answer.status_code for answer in answers) == {200: REQUESTS}
    assert shortest <= took < 3 * shortest, f"{REQUESTS} took {took:.2f} s; {POOL} at a time need {shortest:g} s"
    labels = 'handler="/faults/slow-query",method="GET",status="200"'
    assert f"http_requests_total{{{labels}}} {REQUESTS}.0" in metrics


@pytest.mark.parametrize("seconds", ["0", "-1", "5.1", "nan", "inf", "soon", "3"])
async def test_a_duration_out_of_bounds_or_above_the_statement_timeout_is_rejected(slow: Service, seconds: str) -> None:
    async with httpx2.AsyncClient(base_url=slow.url, timeout=30) as client:
        answer = await client.get("/faults/slow-query", params={"seconds": seconds})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def ask(client: httpx2.AsyncClient, seconds: float) -> httpx2.Response:
    return await client.get("/faults/slow-query", params={"seconds": seconds})
