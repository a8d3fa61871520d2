"""Every connection of the pool is held: callers are turned away in time, and the pod is not taken out for it."""

import asyncio
import time
from collections import Counter

import asyncpg
import httpx2

from tests.integration.app.conftest import StartService
from tests.polling import poll_until_async

POOL = 2


async def test_an_exhausted_pool_gives_503s_in_time_stays_ready_and_recovers(
    database: str, start: StartService
) -> None:
    service = start(
        database, DATABASE_POOL_SIZE=str(POOL), DATABASE_ACQUIRE_SECONDS="0.5", DATABASE_COMMAND_SECONDS="30"
    )
    service.wait_until_ready()
    blocker = await asyncpg.connect(database)
    async with httpx2.AsyncClient(base_url=service.url, timeout=30) as client:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE order_lines")  # orders wait for it, each with a connection in hand
            held = [asyncio.create_task(order(client, f"held-{number}")) for number in range(POOL)]
            await poll_until_async(lambda: in_use(client, POOL), "the pool to be exhausted")

            began = time.monotonic()
            turned_away = await asyncio.gather(*(client.get("/products") for _ in range(10)))
            took = time.monotonic() - began
            ready = await client.get("/health/ready")

        assert Counter(response.status_code for response in turned_away) == {503: 10}
        assert all("Retry-After" in response.headers for response in turned_away)
        assert took < 3, f"callers waited {took:.1f} s for a connection; 0.5 s are allowed"
        assert ready.status_code == 200, "an exhausted pool must not take the pod out: the load would move on"
        assert [response.status_code for response in await asyncio.gather(*held)] == [201] * POOL
        assert (await client.get("/products")).status_code == 200
        metrics = (await client.get("/metrics")).text
    await blocker.close()
    assert 'database_unavailable_total{reason="TimeoutError"} 10.0' in metrics
    assert f"database_pool_limit {POOL}.0" in metrics


async def order(client: httpx2.AsyncClient, key: str) -> httpx2.Response:
    # A product each: they wait for the table, not for each other.
    body = {"lines": [{"product_id": 1 + int(key[-1]), "quantity": 1}]}
    return await client.post("/orders", headers={"Idempotency-Key": key}, json=body)


async def in_use(client: httpx2.AsyncClient, count: int) -> bool:
    return f'database_pool_connections{{state="in_use"}} {count}.0' in (await client.get("/metrics")).text
