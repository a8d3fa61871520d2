"""Measure the throughput of one process on one core, and the cost of telemetry, against bare FastAPI.

Needs wrk on PATH (apt install wrk, brew install wrk). All variants run at the same time and are measured alternately,
so that a change of the machine's speed affects all of them. Each figure is the median of the rounds, each share the
median of the rounds' shares.
Shares compare CPU time per request. On an otherwise idle core throughput is inversely proportional to it. On a shared
machine waiting for the core reduces requests/s but not CPU time.
"""

import argparse
import contextlib
import multiprocessing
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import psutil
from rich.console import Console
from rich.table import Table

from bench.collector import collector
from drydock.local.postgres import EmbeddedPostgres
from drydock.system.http import answers
from drydock.system.wait import wait_until

ROOT = Path(__file__).parents[1]
UVICORN = Path(sys.executable).with_name("uvicorn")
ROUTES = {"no database": "/health/live", "one statement": "/products/1"}
CONNECTIONS = 32
START_SECONDS = 20.0
# The core of the server and the core of everything else, if the machine has two and allows binding.
CAN_BIND = shutil.which("taskset") is not None and multiprocessing.cpu_count() > 1
SERVER_CORE, OTHER_CORE = "0", "1"


class Variant(NamedTuple):
    """A server to measure."""

    name: str
    application: str
    environment: dict[str, str]


class Load(NamedTuple):
    """The result of one load: requests per second, and the server's CPU seconds per request."""

    rate: float
    cpu_seconds: float


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=10, help="rounds over all variants (default 10)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds per variant, route and round (default 2)")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("bench: wrk is not on PATH: apt install wrk, or brew install wrk")

    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder)) as postgres,
        collector(OTHER_CORE if CAN_BIND else None) as (kind, endpoint),
    ):
        environment = {"DATABASE_URL": postgres.dsn, "PATH": os.environ["PATH"]}
        subprocess.run(
            [sys.executable, "-m", "app.migrations"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        variants = ladder(environment, endpoint)
        results = measure(variants, arguments.rounds, arguments.seconds)
    show(variants, results, f"median of {arguments.rounds} rounds, wrk -c{CONNECTIONS}, spans to {kind}")


def ladder(environment: dict[str, str], endpoint: str) -> list[Variant]:
    """The baseline, the service without telemetry, and then one more signal at a time."""
    traced = {**environment, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    return [
        Variant("bare FastAPI", "bench.bare:app", environment),
        Variant("the service without telemetry", "bench.without:app", {**environment, "WITHOUT": "metrics,logs"}),
        Variant("+ metrics", "bench.without:app", {**environment, "WITHOUT": "logs"}),
        Variant("+ logs", "app.main:app", environment),
        Variant("+ traces, 5 % sampled", "app.main:app", {**traced, "OTEL_TRACES_SAMPLER_ARG": "0.05"}),
        Variant("+ traces, 100 % sampled", "app.main:app", traced),
    ]


type Results = dict[tuple[str, str], list[Load]]


def measure(variants: list[Variant], rounds: int, seconds: int) -> Results:
    """The loads by variant and route, one per round."""
    results: Results = {(variant.name, route): [] for variant in variants for route in ROUTES}
    console = Console(stderr=True)
    with contextlib.ExitStack() as stack:
        servers = {variant.name: stack.enter_context(serving(variant)) for variant in variants}
        for number in range(1, rounds + 1):
            console.print(f"round {number} of {rounds}")
            for name, (server, url) in servers.items():
                for route, path in ROUTES.items():
                    results[name, route].append(load(server, f"{url}{path}", seconds))
        for name, (_, url) in servers.items():
            if lost := spans_lost(url):
                console.print(f"{name}: {lost} spans were lost, so its measured cost is too low")
    return results


@contextlib.contextmanager
def serving(variant: Variant) -> Iterator[tuple[psutil.Process, str]]:
    """Run the server and yield its process and address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(UVICORN), variant.application, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(
        on_core(SERVER_CORE, command), cwd=ROOT, env=variant.environment, stdout=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        if not wait_until(lambda: answers(f"{url}/products/1"), START_SECONDS, interval=0.05):
            sys.exit(f"bench: no response from {url} within {START_SECONDS:g} s")
        yield psutil.Process(process.pid), url
    finally:
        process.kill()
        process.wait()


def load(server: psutil.Process, url: str, seconds: int) -> Load:
    """Send as many requests as possible with wrk."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url]
    before = cpu_seconds(server)
    output = subprocess.run(on_core(OTHER_CORE, command), capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(server) - before
    if "Non-2xx" in output:
        sys.exit(f"bench: some requests failed:\n{output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    count = re.search(r"(\d+) requests in", output)
    assert rate is not None, output  # noqa: S101
    assert count is not None, output  # noqa: S101
    return Load(float(rate[1]), used / int(count[1]))


def cpu_seconds(server: psutil.Process) -> float:
    """The CPU time of all the server's threads, in seconds."""
    times = server.cpu_times()
    return float(times.user + times.system)


def spans_lost(url: str) -> int:
    """The number of spans that the server lost. 0 if it has no metrics."""
    found = re.search(r'^telemetry_spans_total{result="lost"} (\d+)', httpx2.get(f"{url}/metrics").text, re.MULTILINE)
    return int(found[1]) if found else 0


def on_core(core: str, command: list[str]) -> list[str]:
    """The command bound to one core, if the machine has two and allows binding."""
    return ["taskset", "-c", core, *command] if CAN_BIND else command


def show(variants: list[Variant], results: Results, how: str) -> None:
    """Print a table for each route."""
    bare, untold = variants[0].name, variants[1].name
    for route in ROUTES:
        table = Table("", title=f"{route}: one process on one core, {how}")
        for column in ("requests/s", "CPU us per request", "of bare", "of no telemetry"):
            table.add_column(column, justify="right")
        for variant in variants:
            mine = results[variant.name, route]
            table.add_row(
                variant.name,
                f"{statistics.median(load.rate for load in mine):,.0f}",
                f"{statistics.median(load.cpu_seconds for load in mine) * 1e6:,.0f}",
                *(share(mine, results[yardstick, route]) for yardstick in (bare, untold)),
            )
        Console().print(table)


def share(mine: list[Load], yardstick: list[Load]) -> str:
    """This variant's requests per CPU time, in percent of the baseline's."""
    return f"{statistics.median(b.cpu_seconds / a.cpu_seconds for a, b in zip(mine, yardstick, strict=True)):.0%}"


if __name__ == "__main__":
    main()
