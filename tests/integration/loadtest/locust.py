"""Locust as the cluster runs it, without the cluster: a master and its workers, each a process of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drydock.requests import records
from drydock.requests.records import Record
from tests.integration.app.service import free_port
from tests.polling import poll_until

ROOT = Path(__file__).parents[3]
# What drydock gives the master in the cluster, but for the pages of the results.
OPTIONS = ["--headless", "--only-summary", "--expect-workers-max-wait=20", "--stop-timeout=5"]


@dataclass(frozen=True)
class Account:
    """What a run left: its records, the master's last line, and its exit code."""

    records: list[Record]
    last: dict[str, Any]
    code: int
    said: str


class Run:
    """A run of `scenario` against `url` with these parameters. Use it as a context manager: no process outlives it."""

    def __init__(self, url: str, scenario: str, workers: int = 1, **parameters: object) -> None:
        self._folder = Path(tempfile.mkdtemp())
        self.file = self._folder / records.FILE
        self._environment = {
            "PATH": os.environ["PATH"],
            "LOAD_RECORDS": str(self.file),
            **{f"LOAD_{name.upper()}": str(value) for name, value in parameters.items()},
        }
        common = ["-m", "locust", f"--locustfile={scenario}", f"--host={url}"]
        port = str(free_port())
        master = [*common, "--master", f"--master-bind-port={port}", f"--expect-workers={workers}", *OPTIONS]
        worker = [*common, "--worker", f"--master-port={port}"]
        self._said = (self._folder / "said").open("w+")
        self.master = self._start(master)
        self._workers = [self._start(worker) for _ in range(workers)]

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.master, *self._workers):
            process.kill()
            process.wait()
        self._said.close()

    @property
    def ticks(self) -> list[dict[str, Any]]:
        """The master's lines so far."""
        return [json.loads(line) for line in self.said.splitlines() if line.startswith('{"time"')]

    @property
    def said(self) -> str:
        """What all of them said so far."""
        return Path(self._said.name).read_text()

    def end(self) -> None:
        """What loadtest/__main__.py does on SIGTERM."""
        self.master.send_signal(signal.SIGUSR1)

    def wait(self, seconds: float = 60) -> Account:
        """Waits for its end, and reads what it left."""
        code = self.master.wait(seconds)
        poll_until(lambda: all(worker.poll() is not None for worker in self._workers), f"the workers' end: {self.said}")
        assert self.ticks, self.said
        return Account(list(records.read(self.file)), self.ticks[-1], code, self.said)

    def _start(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=self._said, stderr=subprocess.STDOUT)


def run(url: str, scenario: str, workers: int = 1, **parameters: object) -> Account:
    """A whole run of a scenario of loadtest/scenarios, or of a file."""
    path = scenario if scenario.endswith(".py") else f"loadtest/scenarios/{scenario}.py"
    with Run(url, path, workers, **parameters) as running:
        return running.wait()


def run_alone(url: str, locustfile: str, **parameters: object) -> list[Record]:
    """A run in a single process; its records."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / records.FILE
        variables = {f"LOAD_{name.upper()}": str(value) for name, value in parameters.items()}
        command = [sys.executable, "-m", "locust", f"--locustfile={locustfile}", f"--host={url}"]
        done = subprocess.run(
            [*command, "--headless", "--only-summary"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "LOAD_RECORDS": str(file), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert file.exists(), done.stderr
        return list(records.read(file))
