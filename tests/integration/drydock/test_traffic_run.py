"""A whole run of the load generator: sent by the clock, accounted for to the last request, over when it should be."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from drydock.core.errors import CannotRunError
from drydock.requests.outcome import Outcome
from drydock.traffic import run as traffic_run
from drydock.traffic import shopper
from drydock.traffic.options import Options
from drydock.traffic.run import run
from tests.integration.app.service import free_port
from tests.integration.drydock.misbehaving import PREPARATION, Server, answering, closing, healthy, resetting, silent
from tests.polling import poll_until_async

ROOT = Path(__file__).parents[3]


def options(server: Server, rate: float = 50, seconds: float = 1, timeout: float = 5) -> Options:
    return Options(server.url, rate, seconds, timeout, metrics_port=0, scrape_wait=0)


async def account_of(chosen: Options, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Runs it in this process; the last line that it printed."""
    code = await run(chosen)
    summary: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert code == (1 if summary["lost"] else 0)
    return summary


async def test_nothing_is_lost_at_a_healthy_service(capsys: pytest.CaptureFixture[str]) -> None:
    async with Server() as server:
        summary = await account_of(options(server), capsys)
        assert summary["outcomes"] == {"ok": 50} | dict.fromkeys(set(summary["outcomes"]) - {"ok"}, 0)
        assert (summary["planned"], summary["sent"], summary["lost"]) == (50, 50, 0)
        assert summary["pods"] == {"pod-a": 50}
        assert len(server.requests) == 50 + PREPARATION


async def test_every_loss_is_counted_once_and_nothing_is_sent_twice(capsys: pytest.CaptureFixture[str]) -> None:
    behaviours = {10: closing, 11: resetting, 12: answering("500 Oh"), 13: answering("404 No"), 14: silent}
    async with Server(lambda number: behaviours.get(number, healthy)) as server:
        summary = await account_of(options(server, timeout=0.5), capsys)
        lost = {"closed_early": 1, "reset": 1, "5xx": 1, "4xx": 1, "timed_out": 1}
        assert summary["outcomes"] == {"ok": 45, "refused": 0, "truncated": 0, **lost}
        assert summary["lost"] == 5
        assert len(server.requests) == 50 + PREPARATION


async def test_the_mix_is_reads_receipts_and_orders_each_with_a_key_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with Server() as server:
        await account_of(options(server, rate=48), capsys)
    sent = server.requests[PREPARATION:]
    kinds = [request.line.removesuffix(" HTTP/1.1") for request in sent]
    pairs = ["GET /products?limit=20", "GET /products/7", "POST /orders"] * 12
    assert sorted(kinds) == sorted([*pairs, *["GET /orders/7", "PUT /orders/7/receipt"] * 6])
    keys = [request.headers["idempotency-key"] for request in server.requests if "POST /orders" in request.line]
    assert len(set(keys)) == len(keys) == 13


async def test_half_of_it_goes_over_fresh_connections(capsys: pytest.CaptureFixture[str]) -> None:
    async with Server() as server:
        await account_of(options(server, rate=48), capsys)
        assert server.connections in range(24 + PREPARATION + 1, 24 + PREPARATION + 5)


async def test_a_slow_service_delays_no_other_request_and_its_slowness_is_seen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def slow(writer: asyncio.StreamWriter) -> None:
        asyncio.get_running_loop().call_later(0.8, healthy, writer)

    async with Server(lambda number: slow if number >= PREPARATION else healthy) as server:
        summary = await account_of(options(server), capsys)
        assert summary["sent"] == 50
        assert summary["seconds"] < 1.5, "each request waited for the one before"
        assert summary["latency_ms"]["p50"] >= 800


async def test_what_could_not_be_sent_in_time_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    async with Server() as server:
        asyncio.get_running_loop().call_later(0.5, time.sleep, 0.4)  # as a machine that is too busy does
        assert await run(options(server)) == 0
        said = capsys.readouterr().out
    assert re.search(r"^late +\d+ started over 50 ms late: this client does not keep up$", said, re.MULTILINE), said
    summary = json.loads(said.splitlines()[-1])
    assert summary["late"] > 5
    assert summary["latency_ms"]["p99"] > 200, "the time that a request waited for its start is part of its time"


async def test_it_says_how_far_it_is_and_what_was_lost_so_far(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(traffic_run, "PROGRESS_SECONDS", 0.6)
    async with Server(lambda number: closing if number == PREPARATION + 10 else healthy) as server:
        assert await run(options(server)) == 1
    progress = r"^ +1 s  [23]\d of 50 sent  ok \d+  closed_early 1$"
    said = capsys.readouterr().out
    assert len(re.findall(progress, said, re.MULTILINE)) == 1, said


async def test_a_service_that_does_not_answer_is_said_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shopper, "PATIENCE_SECONDS", 0.5)
    async with Server(lambda _: closing) as server:
        with pytest.raises(CannotRunError, match="closed_early") as refused:
            await run(options(server))
    assert "drydock status" in refused.value.remedy


async def test_a_service_that_is_not_the_shop_is_refused() -> None:
    async with Server(lambda number: answering("404 Not Found") if number else healthy) as server:
        with pytest.raises(CannotRunError, match="could not be prepared: 4xx, 404"):
            await run(options(server))


async def test_a_service_that_comes_up_late_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    async with Server(lambda number: healthy if number else answering("503 Not Yet")) as server:
        assert (await account_of(options(server), capsys))["lost"] == 0


class Program:
    """The program as the image runs it: a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, metrics: str) -> None:
        self.lines: list[str] = []
        self.metrics = metrics
        self._process = process
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, server: Server, *arguments: str, within: Sequence[str] = ()) -> "Program":
        """Runs it with these arguments, `within` another command where one is given."""
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            *(*within, sys.executable, "-m", "drydock.traffic", *arguments),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "TRAFFIC_URL": server.url, "TRAFFIC_METRICS_PORT": str(port)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return cls(process, f"http://127.0.0.1:{port}/metrics")

    async def says(self, text: str) -> None:
        """Waits for a line with this text."""
        await poll_until_async(lambda: self._has(text), f"{text!r}; it said {self.lines}")

    async def ended(self) -> int:
        """Waits for its end; the exit code."""
        await asyncio.wait_for(self._reader, 20)
        return await self._process.wait()

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    @property
    def summary(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.lines[-1])
        return loaded

    async def _has(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            self.lines.append(line.decode().rstrip())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_early_and_what_was_sent_is_accounted_for(number: signal.Signals) -> None:
    async with Server() as server:
        program = await Program.start(server, "--rate=50", "--seconds=600", "--scrape-wait=0")
        await program.says("sending 30,000 requests")
        await poll_until_async(lambda: at_least(server, 30), "30 requests")
        program.send_signal(number)
        assert await program.ended() == 0
        summary = program.summary
        assert summary["outcomes"]["ok"] == summary["sent"] == len(server.requests) - PREPARATION
        assert summary["sent"] < summary["planned"]


async def test_a_signal_before_the_first_request_ends_it_too() -> None:
    async with Server(lambda _: answering("503 Not Yet")) as server:
        program = await Program.start(server)
        await poll_until_async(lambda: at_least(server, 1), "the first look at the service")
        program.send_signal(signal.SIGTERM)
        assert await program.ended() == 2


async def test_the_last_counts_are_scraped_before_it_ends() -> None:
    async with Server() as server, httpx2.AsyncClient(trust_env=False) as prometheus:
        program = await Program.start(server, "--rate=20", "--seconds=1", "--scrape-wait=30")
        await program.says("sending")
        first = samples((await prometheus.get(program.metrics)).text)
        outcomes = {f'client_requests_total{{outcome="{outcome}"}}' for outcome in Outcome}
        assert outcomes <= first.keys(), "a series that begins with its first loss has no rate at that moment"

        await program.says("lost      none")
        assert program.running, "it did not wait for another scrape"
        last = samples((await prometheus.get(program.metrics)).text)
        assert await program.ended() == 0
    assert last['client_requests_total{outcome="ok"}'] == 20
    assert last["client_request_duration_seconds_count"] == 20
    assert program.summary["scraped"] is True


async def test_without_a_scrape_it_ends_all_the_same() -> None:
    async with Server() as server:
        program = await Program.start(server, "--rate=20", "--seconds=1", "--scrape-wait=0.5")
        assert await program.ended() == 0
    assert program.summary["scraped"] is False


async def test_metrics_are_open_metrics_for_those_who_ask() -> None:
    async with Server() as server, httpx2.AsyncClient(trust_env=False) as prometheus:
        program = await Program.start(server, "--rate=20", "--seconds=1", "--scrape-wait=30")
        await program.says("lost      none")
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        answer = await prometheus.get(program.metrics, headers=accept)
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        await program.ended()


async def test_a_machine_that_runs_out_of_files_does_not_blame_the_service() -> None:
    few_files = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"]
    async with Server(lambda number: silent if number >= PREPARATION else healthy) as server:
        program = await Program.start(server, "--rate=100", "--seconds=10", within=few_files)
        assert await program.ended() == 2
    # Python itself may add a warning of what it could not begin any more.
    said = "\n".join(program.lines)
    assert "this machine has run out of something: [Errno 24] Too many open files" in said
    assert "--rate" in said


async def test_a_port_that_is_taken_is_said_with_a_remedy() -> None:
    async with Server() as server:
        program = await Program.start(server, f"--metrics-port={server.url.rsplit(':', 1)[1]}")
        assert await program.ended() == 2
    assert program.lines[-1] == "remedy: Choose another: --metrics-port."


async def at_least(server: Server, count: int) -> bool:
    return len(server.requests) >= count


def samples(text: str) -> dict[str, float]:
    """The samples of an exposition, by name with labels."""
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}
