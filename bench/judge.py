"""Measure the highest rate that the judge sends on one core without delay, and the precision of its schedule.

The server answers as fast as it can. It runs on a separate core if the machine has two and allows binding. The rates
alternate in rounds; each figure is the median of the rounds.
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
from pathlib import Path
from typing import cast

import uvloop
from rich.console import Console
from rich.table import Table

from drydock.judge.plan import VARIABLE, Plan, Request
from drydock.judge_client import log, start_delay

CAN_BIND = shutil.which("taskset") is not None and multiprocessing.cpu_count() > 1
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-Served-By: bench\r\n\r\n{"id": 7}'
FIGURES = (
    "rate",
    "late",
    "start_error_p50_ms",
    "start_error_p99_ms",
    "start_error_max_ms",
    "cpu_us_per_request",
    "cores",
)


class Answering(asyncio.Protocol):
    """Answers each chunk that ends a request without a body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass

    def data_received(self, data: bytes) -> None:
        self.transport.write(ANSWER)
        if b"Connection: close" in data:
            self.transport.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=[200, 1000, 2000, 3000, 4000])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    queue: multiprocessing.SimpleQueue[str] = multiprocessing.SimpleQueue()
    server = multiprocessing.get_context("fork").Process(target=serve, args=(queue,))
    server.start()
    url = queue.get()
    try:
        rounds = [[measure(url, rate, options.seconds) for rate in options.rates] for _ in range(options.rounds)]
    finally:
        server.terminate()
        server.join()
    show(options.rates, rounds)


def serve(port: "multiprocessing.SimpleQueue[str]") -> None:
    """Run the server until it is terminated."""
    if CAN_BIND:
        os.sched_setaffinity(0, {0})

    async def forever() -> None:
        listening = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=4096)
        port.put(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        await listening.serve_forever()

    uvloop.run(forever())


def measure(url: str, rate: float, seconds: float) -> dict[str, float]:
    """Run the judge once and return the figures of its summary."""
    get = Request("GET", "/", "/")
    plan = Plan(url, rate, seconds, timeout=5, subjects=0, identifier="id", prepare=get, requests=(get,), long_rate=0)
    command = [*(["taskset", "--cpu-list", "1"] if CAN_BIND else []), sys.executable, "-m", "drydock.judge"]
    environment = {**os.environ, VARIABLE: plan.as_json()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60 + seconds)
    with tempfile.TemporaryDirectory() as folder:
        log.collect(done.stdout, Path(folder))
        summary = json.loads((Path(folder) / start_delay.FILE).read_text())
    lost = summary["sent"] - summary["outcomes"]["ok"]
    return {**{name: summary[name] for name in FIGURES}, "sent": summary["sent"], "lost": lost}


def show(rates: list[float], rounds: list[list[dict[str, float]]]) -> None:
    table = Table("requests/s", "reached", "sent", "lost", "late", "p50 ms", "p99 ms", "max ms", "CPU µs each", "cores")
    for rate, runs in zip(rates, zip(*rounds, strict=True), strict=True):
        figures = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        table.add_row(
            f"{rate:g}",
            f"{figures['rate']:.0f}",
            f"{sum(run['sent'] for run in runs):,.0f}",
            f"{sum(run['lost'] for run in runs):,.0f}",
            f"{sum(run['late'] for run in runs):,.0f}",
            *(f"{figures[name]:.2f}" for name in FIGURES[2:5]),
            f"{figures['cpu_us_per_request']:.0f}",
            f"{figures['cores']:.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
