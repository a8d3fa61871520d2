"""The service as a real process: the image's own command, its log lines and its exit code."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2

from tests.polling import poll_until

ROOT = Path(__file__).parents[3]
UVICORN = str(Path(sys.executable).with_name("uvicorn"))
# A new PID namespace makes the command PID 1, as in a container.
AS_PID_1 = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


def can_be_pid_1() -> bool:
    """Whether this machine lets users create PID namespaces."""
    if shutil.which(AS_PID_1[0]) is None:
        return False
    return subprocess.run([*AS_PID_1, "true"], capture_output=True, check=False).returncode == 0


def free_port() -> int:
    """An unused port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """One running service. `mode` selects how to run its command: "plain", "pid 1" or "workers"."""

    def __init__(self, environment: dict[str, str], mode: str = "plain") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[dict[str, Any]] = []
        self.output: list[str] = []
        self._process = subprocess.Popen(
            (AS_PID_1 if mode == "pid 1" else []) + self.command(mode),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "POD_NAME": "test-pod", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._mode = mode
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def command(self, mode: str) -> list[str]:
        """The image's command, on the port of this process."""
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        return [UVICORN, "app.main:app", *address, *(["--workers", "2"] if mode == "workers" else [])]

    @property
    def pid(self) -> int:
        """The process ID of the command itself, in the PID namespace of the test."""
        if self._mode != "pid 1":
            return self._process.pid
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return int(poll_until(lambda: children.read_text().split(), "uvicorn to be forked")[0])

    def wait_until_live(self, seconds: float = 20) -> None:
        """Wait until the process answers its liveness probe."""
        poll_until(lambda: self.get("/health/live") is not None, "the service to answer /health/live", seconds)

    def wait_until_ready(self, seconds: float = 20) -> None:
        """Wait until the service is ready and every process has started: readiness covers only one of them."""
        processes = 2 if self._mode == "workers" else 1
        poll_until(lambda: self.started() == processes, f"{processes} processes to start; output: {self.output[-3:]}")
        poll_until(self.is_ready, f"the service to be ready; output: {self.output[-3:]}", seconds)

    def started(self) -> int:
        """The number of processes that have completed their startup."""
        return sum(line["message"] == "Application startup complete." for line in list(self.lines))

    def is_ready(self) -> bool:
        response = self.get("/health/ready")
        return response is not None and response.status_code == 200

    def get(self, path: str) -> httpx2.Response | None:
        """Send a GET on a new connection. None if there is no response."""
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"{self.url}{path}", timeout=5)
        return None

    def terminate(self) -> float:
        """Send SIGTERM to uvicorn, as a kubelet does. Returns the wall-clock time of the signal."""
        sent = time.time()
        os.kill(self.pid, signal.SIGTERM)
        return sent

    def wait_for_exit(self, seconds: float) -> int:
        """The exit code. 128 + N if signal N ended the process."""
        code = self._process.wait(seconds)
        self._reader.join(5)
        return code if code >= 0 else 128 - code

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def events(self, *names: str) -> list[str]:
        """The names of the lifecycle log lines so far, in order. `names` filters them."""
        messages = [line["message"] for line in self.lines if line.get("logger") == "app.lifecycle"]
        return [message for message in messages if not names or message in names]

    def when(self, event: str) -> float:
        """The wall-clock time of the first lifecycle line of this name."""
        line = poll_until(
            lambda: next((line for line in list(self.lines) if line["message"] == event), None), f"the log line {event}"
        )
        return datetime.fromisoformat(line["timestamp"]).timestamp()

    def kill(self) -> None:
        if self.running:
            self._process.kill()
            self._process.wait(10)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            self.output.append(text)
            with contextlib.suppress(json.JSONDecodeError):
                self.lines.append(json.loads(text))


@contextlib.contextmanager
def running(environment: dict[str, str], mode: str = "plain") -> Iterator[Service]:
    """A service that runs until the end of the block."""
    service = Service(environment, mode)
    try:
        yield service
    finally:
        service.kill()
