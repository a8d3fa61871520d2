"""Measure the senders on one core: a locust worker with and without records, and the judge at a given rate.

The server answers immediately, in a separate process. If the machine has two cores and allows binding, the sender runs
on one of them, the server and locust's master on the other. Locust's users send as fast as they get responses. The
judge sends at a fixed rate, so compare its CPU per request; `python -m bench.judge` finds its highest rate. Each figure
is the median of the rounds.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import psutil
from rich.console import Console
from rich.table import Table

from drydock.judge.plan import VARIABLE, Plan, Request
from drydock.judge_client import log

ROOT = Path(__file__).parents[1]
CAN_BIND = shutil.which("taskset") is not None and multiprocessing.cpu_count() > 1
CLIENT_CORE, SERVER_CORE = "0", "1"
USERS = 50
JUDGE_RATE = 1000
WARM_UP_TICKS = 2
MISSED_HEARTBEAT = "failed to send heartbeat"
SHELF = json.dumps({"items": [{"id": 1, "stock": 1_000_000}], "next": None}).encode()
ORDER = b'{"id": 7}'


class Reached(NamedTuple):
    """Requests per second, the worker's CPU seconds per request, and the number of missed heartbeats."""

    rate: float
    cpu_seconds: float
    heartbeats_missed: int


class Answering(asyncio.Protocol):
    """Answers every request immediately: one response for each head in the chunk."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer a chunk. The requests of these clients always arrive whole."""
        body = SHELF if data.startswith(b"GET /products?") else ORDER
        head = f"HTTP/1.1 200 OK\r\nX-Served-By: server\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        self._transport.write(head + body)


async def serve() -> None:
    """Run the server. Prints its port first."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="rounds over all variants (default 3)")
    parser.add_argument("--seconds", type=int, default=10, help="seconds of load per variant and round (default 10)")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve())
        return
    variants: dict[str, Callable[[str], Reached]] = {
        "locust, records on": lambda url: locust(url, arguments.seconds, records=True),
        "locust, records off": lambda url: locust(url, arguments.seconds, records=False),
        f"judge, {JUDGE_RATE:,}/s": lambda url: judge(url, arguments.seconds),
    }
    results: dict[str, list[Reached]] = {name: [] for name in variants}
    with server() as url:
        for _ in range(arguments.rounds):
            for name, measure in variants.items():
                results[name].append(measure(url))
    show(results)


@contextmanager
def server() -> Iterator[str]:
    """Run the server on its core and yield its address."""
    with subprocess.Popen(
        bound(SERVER_CORE, "-m", "bench.load_generator", "--serve"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip() if process.stdout else ''}"
        finally:
            process.terminate()


def locust(url: str, seconds: int, records: bool) -> Reached:
    """Run one worker with users who never pause."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/requests.csv.gz" if records else ""
        parameters = {"LOAD_USERS": USERS, "LOAD_SECONDS": seconds, "LOAD_PAUSE": 0, "LOAD_RECORDS": file}
        environment = {**os.environ, **{name: str(value) for name, value in parameters.items()}}
        common = ["-m", "locust", "--locustfile=loadtest/scenarios/steady.py", f"--host={url}"]
        mixed = {**environment, "LOAD_MIX": "browse=7,order=3"}
        master_options = ["--master", "--headless", "--only-summary", "--stop-timeout=5"]
        worker = subprocess.Popen(
            bound(CLIENT_CORE, *common, "--worker"), cwd=ROOT, env=mixed, stderr=subprocess.DEVNULL
        )
        process = psutil.Process(worker.pid)
        with subprocess.Popen(
            bound(SERVER_CORE, *common, *master_options),
            cwd=ROOT,
            env=mixed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as master:
            ticks, missed, cpu = _follow(master, process)
        worker.wait()
    return Reached(_rate(ticks), cpu / ticks[-1]["sent"], missed)


def judge(url: str, seconds: int) -> Reached:
    """Run the judge at one rate, half of it on kept-alive connections."""
    get = Request("GET", "/products/{product_id}", "/products/1")
    plan = Plan(url, JUDGE_RATE, seconds, 10, 0, "id", prepare=get, requests=(get,), long_rate=0)
    done = subprocess.run(
        bound(CLIENT_CORE, "-m", "drydock.judge"),
        cwd=ROOT,
        env={**os.environ, VARIABLE: plan.as_json()},
        capture_output=True,
        text=True,
        check=True,
    )
    summary = next(line["summary"] for line in log.lines(done.stdout.splitlines()) if "summary" in line)
    return Reached(summary["rate"], summary["cpu_us_per_request"] / 1e6, 0)


def show(results: Mapping[str, list[Reached]]) -> None:
    """Print the medians."""
    table = Table(title="One process on one core" if CAN_BIND else "One process, not bound to a core")
    table.add_column("load generator")
    for title in ("requests/s", "CPU µs per request", "heartbeats missed"):
        table.add_column(title, justify="right")
    for name, rounds in results.items():
        rate, cpu = (
            statistics.median(values) for values in ([r.rate for r in rounds], [r.cpu_seconds for r in rounds])
        )
        missed = str(sum(r.heartbeats_missed for r in rounds))
        table.add_row(name, f"{rate:,.0f}", f"{cpu * 1e6:,.0f}", missed)
    Console().print(table)


def bound(core: str, *arguments: str) -> list[str]:
    """A Python command bound to `core`, if the machine allows binding."""
    return [*(["taskset", "--cpu-list", core] if CAN_BIND else []), sys.executable, *arguments]


def _follow(master: subprocess.Popen[str], worker: psutil.Process) -> tuple[list[dict[str, Any]], int, float]:
    """The master's progress lines, the number of missed heartbeats, and the worker's CPU seconds."""
    ticks, missed, cpu = [], 0, 0.0
    for line in master.stdout or ():
        missed += MISSED_HEARTBEAT in line
        if line.startswith('{"time"'):
            ticks.append(json.loads(line))
            try:
                cpu = max(cpu, sum(worker.cpu_times()[:2]))
            except psutil.Error:
                continue
    return ticks, missed, cpu


def _rate(ticks: list[dict[str, Any]]) -> float:
    """The mean rate of the seconds in which all users were active."""
    full: list[float] = [tick["rate"] for tick in ticks if tick["users"] == USERS][WARM_UP_TICKS:]
    return statistics.mean(full)


if __name__ == "__main__":
    main()
