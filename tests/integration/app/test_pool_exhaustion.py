"""An exhausted pool causes fast 503s and does not make the pod unready."""

import asyncio
import time
from collections import Counter

import asyncpg
import httpx2

from tests.integration.app.conftest import StartService
from tests.polling import poll_until_async

POOL = 2


async def test_with_an_exhausted_pool_requests_get_503s_in_time_and_the_service_stays_ready(
    database: str, start: StartService
) -> None:
    service = start(
        database, DATABASE_POOL_SIZE=str(POOL), DATABASE_ACQUIRE_SECONDS="0.5", DATABASE_COMMAND_SECONDS="30"
    )
    service.wait_until_ready()
    blocker = await asyncpg.connect(database)
    async with httpx2.AsyncClient(base_url=service.url, timeout=30) as client:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE order_lines")  # each order waits for it while holding a connection
            held = [asyncio.create_task(order(client, f"held-{number}")) for number in range(POOL)]
            await poll_until_async(lambda: in_use(client, POOL), "the pool to be exhausted")

            began = time.monotonic()
            turned_away = await asyncio.gather(*(client.get("/products") for _ in range(10)))
            took = time.monotonic() - began
            ready = await client.get("/health/ready")

        assert Counter(response.status_code for response in turned_away) == {503: 10}
        assert all("Retry-After" in response.headers for response in turned_away)
        assert took < 3, f"requests waited {took:.1f} s for a connection; the timeout is 0.5 s"
        assert ready.status_code == 200, "an unready pod would move its load to the other pods"
        assert [response.status_code for response in await asyncio.gather(*held)] == [201] * POOL
        assert (await client.get("/products")).status_code == 200
        metrics = (await client.get("/metrics")).text
    await blocker.close()
    assert 'database_unavailable_total{reason="TimeoutError"} 10.0' in metrics
    assert f"database_pool_limit {POOL}.0" in metrics


async def order(client: httpx2.AsyncClient, key: str) -> httpx2.Response:
    # One product per order, so that they wait for the table and not for each other.
    body = {"lines": [{"product_id": 1 + int(key[-1]), "quantity": 1}]}
    return await client.post("/orders", headers={"Idempotency-Key": key}, json=body)


async def in_use(client: httpx2.AsyncClient, count: int) -> bool:
    return f'database_pool_connections{{state="in_use"}} {count}.0' in (await client.get("/metrics")).text
