"""Requests a second of one process on one core: the service against the same routes in bare FastAPI, in one run.

Needs wrk on PATH (apt install wrk, brew install wrk). The variants take turns, round by round, so that a machine whose
speed drifts slows all of them; each figure is the median of the rounds, each ratio the median of the rounds' ratios.
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
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from drydock.local.postgres import EmbeddedPostgres
from drydock.probe import answers
from drydock.waiting import wait_until

ROOT = Path(__file__).parents[1]
UVICORN = Path(sys.executable).with_name("uvicorn")
ROUTES = {"no database": "/health/live", "one statement": "/products/1"}
CONNECTIONS = 32
START_SECONDS = 20.0


class Variant(NamedTuple):
    """A server to measure."""

    name: str
    application: str
    environment: dict[str, str]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5, help="rounds over all variants (default 5)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of load a variant, route and round (default 4)")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("bench: wrk is not on PATH: apt install wrk, or brew install wrk")

    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as postgres, collector() as endpoint:
        environment = {"DATABASE_URL": postgres.dsn, "PATH": os.environ["PATH"]}
        subprocess.run(
            [sys.executable, "-m", "app.migrations"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        variants = [
            Variant("bare FastAPI", "bench.bare:app", environment),
            Variant("service, traces off", "app.main:app", environment),
            Variant(
                "service, 5 % sampled", "app.main:app", {**environment, **traced, "OTEL_TRACES_SAMPLER_ARG": "0.05"}
            ),
            Variant("service, 100 % sampled", "app.main:app", {**environment, **traced}),
        ]
        results = measure(variants, arguments.rounds, arguments.seconds)
    show(variants, results, arguments.rounds)


type Results = dict[tuple[str, str], list[float]]


def measure(variants: list[Variant], rounds: int, seconds: int) -> Results:
    """Requests a second by variant and route, a figure a round."""
    results: Results = {(variant.name, route): [] for variant in variants for route in ROUTES}
    console = Console(stderr=True)
    for number in range(1, rounds + 1):
        for variant in variants:
            console.print(f"round {number} of {rounds}: {variant.name}")
            with serving(variant) as url:
                for route, path in ROUTES.items():
                    results[variant.name, route].append(load(f"{url}{path}", seconds))
    return results


@contextlib.contextmanager
def serving(variant: Variant) -> Iterator[str]:
    """The server, alone on the first core where the machine lets us say so."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(UVICORN), variant.application, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(on_core(0, command), cwd=ROOT, env=variant.environment, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/products/1"
        if not wait_until(lambda: answers(url), START_SECONDS, interval=0.05):
            sys.exit(f"bench: nothing answered at {url} within {START_SECONDS:g} s")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def load(url: str, seconds: int) -> float:
    """Requests a second that wrk gets answered."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url]
    output = subprocess.run(on_core(1, command), capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        sys.exit(f"bench: some requests failed:\n{output}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert found is not None, output  # noqa: S101
    return float(found[1])


def on_core(core: int, command: list[str]) -> list[str]:
    """The command bound to one core, where the machine has two and can bind."""
    can_bind = shutil.which("taskset") is not None and multiprocessing.cpu_count() > 1
    return ["taskset", "-c", str(core), *command] if can_bind else command


@contextlib.contextmanager
def collector() -> Iterator[str]:
    """A far end for spans that takes everything and does nothing, in a process of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Discard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


class Discard(BaseHTTPRequestHandler):
    """Answers 200 to whatever is posted."""

    def do_POST(self) -> None:
        """Read it and forget it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def show(variants: list[Variant], results: Results, rounds: int) -> None:
    """The table."""
    table = Table(title=f"requests/s of one process on one core, median of {rounds} rounds, wrk -c{CONNECTIONS}")
    table.add_column("")
    for route in ROUTES:
        table.add_column(route, justify="right")
        table.add_column("of bare", justify="right")
    bare = variants[0].name
    for variant in variants:
        row = [variant.name]
        for route in ROUTES:
            mine, yardstick = results[variant.name, route], results[bare, route]
            ratios = [a / b for a, b in zip(mine, yardstick, strict=True)]
            row += [f"{statistics.median(mine):,.0f}", f"{statistics.median(ratios):.0%}"]
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
