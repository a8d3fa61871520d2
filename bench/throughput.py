"""What one process on one core serves, and what telemetry costs of it: bare FastAPI and the service, part by part.

Needs wrk on PATH (apt install wrk, brew install wrk). The variants all run and take turns, round by round, so that a
machine whose speed drifts slows all of them; each figure is the median of the rounds, each share the median of the
rounds' shares.
Shares are of CPU time: a core that has nothing else to do serves by as much more as a request takes less of it, and
where the machine is shared, waiting for the core costs requests/s and no CPU time.
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
# The server's core, and the core of everything else, where the machine has two and lets us bind.
CAN_BIND = shutil.which("taskset") is not None and multiprocessing.cpu_count() > 1
SERVER_CORE, OTHER_CORE = "0", "1"


class Variant(NamedTuple):
    """A server to measure."""

    name: str
    application: str
    environment: dict[str, str]


class Load(NamedTuple):
    """What came of one load: requests a second, and seconds of the server's CPU a request."""

    rate: float
    cpu_seconds: float


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=10, help="rounds over all variants (default 10)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of load a variant, route and round (default 2)")
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
    """The yardstick, the service without telemetry, and then one signal more at a time."""
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
    """Each load by variant and route, one a round."""
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
                console.print(f"{name}: {lost} spans were lost, so it seems cheaper than it is")
    return results


@contextlib.contextmanager
def serving(variant: Variant) -> Iterator[tuple[psutil.Process, str]]:
    """The server and its address."""
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
            sys.exit(f"bench: nothing answered at {url} within {START_SECONDS:g} s")
        yield psutil.Process(process.pid), url
    finally:
        process.kill()
        process.wait()


def load(server: psutil.Process, url: str, seconds: int) -> Load:
    """As many requests as wrk gets answered."""
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
    """The CPU time that the server has used, in all its threads."""
    times = server.cpu_times()
    return float(times.user + times.system)


def spans_lost(url: str) -> int:
    """How many spans the server could not deliver; 0 where it has no metrics."""
    found = re.search(r'^telemetry_spans_total{result="lost"} (\d+)', httpx2.get(f"{url}/metrics").text, re.MULTILINE)
    return int(found[1]) if found else 0


def on_core(core: str, command: list[str]) -> list[str]:
    """The command bound to one core, where the machine has two and can bind."""
    return ["taskset", "-c", core, *command] if CAN_BIND else command


def show(variants: list[Variant], results: Results, how: str) -> None:
    """A table for each route."""
    bare, untold = variants[0].name, variants[1].name
    for route in ROUTES:
        table = Table("", title=f"{route}: one process on one core, {how}")
        for column in ("requests/s", "CPU us a request", "of bare", "of no telemetry"):
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
    """How much of what the yardstick serves this variant serves with the same CPU time."""
    return f"{statistics.median(b.cpu_seconds / a.cpu_seconds for a, b in zip(mine, yardstick, strict=True)):.0%}"


if __name__ == "__main__":
    main()
