"""The page: a scenario and some of the users, picked there, run with those users and no others."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from tests.integration.app.service import free_port
from tests.integration.loadtest.locust import ROOT
from tests.integration.loadtest.shop import Shop
from tests.polling import poll_until_async


@asynccontextmanager
async def page(url: str) -> AsyncIterator[str]:
    """Locust with its page, in one process; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "locust", "--locustfile=loadtest/scenarios", "--class-picker", f"--host={url}"]
    options = ["--web-host=127.0.0.1", f"--web-port={port}", "--stop-timeout=15"]
    environment = {"PATH": os.environ["PATH"], "LOAD_PAUSE": "0.1"}
    process = await asyncio.create_subprocess_exec(
        *command, *options, cwd=ROOT, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await poll_until_async(lambda: asyncio.to_thread(_answers, f"http://127.0.0.1:{port}"), "the page")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize(
    ("shape", "users", "method"),
    [("Steady", ["Browse"], "GET"), ("Steady", ["Order"], "POST")],
)
async def test_a_scenario_runs_with_the_users_that_were_picked(shape: str, users: list[str], method: str) -> None:
    async with Shop() as server, page(server.url) as address:
        form = {"shape_class": shape, "user_classes": users}
        answer = await asyncio.to_thread(httpx2.post, f"{address}/swarm", data=form)
        assert answer.json()["success"], answer.text

        async def arrived() -> bool:
            return any(request.line.startswith(method) for request in server.requests[10:])

        await poll_until_async(arrived, f"a {method}")
        posts = [request for request in server.requests if request.line.startswith("POST")]
        assert bool(posts) is (users != ["Browse"])


def _answers(address: str) -> bool:
    try:
        return httpx2.get(address, timeout=1).status_code == 200
    except httpx2.HTTPError:
        return False
