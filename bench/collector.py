"""The receiver of the spans: a real collector if Docker is available, otherwise a server that discards them."""

import contextlib
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from drydock.system.http import answers
from drydock.system.wait import wait_until

IMAGE = "otel/opentelemetry-collector-contrib:0.161.0"
CONFIGURATION = """
receivers: {otlp: {protocols: {http: {endpoint: "0.0.0.0:4318"}}}}
exporters: {nop: {}}
extensions: {health_check: {endpoint: "0.0.0.0:13133"}}
service:
  extensions: [health_check]
  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}
  telemetry: {logs: {level: error}}
"""
START_SECONDS = 30.0


class CollectorError(Exception):
    """The container runs but does not answer."""


@contextlib.contextmanager
def collector(core: str | None) -> Iterator[tuple[str, str]]:
    """Yield the receiver's name and OTLP address. The container runs on `core`, separate from the service's core."""
    if not _docker_answers():
        with _sink() as endpoint:
            yield "a server that discards them", endpoint
        return
    binding = [] if core is None else ["--cpuset-cpus", core]
    ports = ["--publish", "127.0.0.1::4318", "--publish", "127.0.0.1::13133"]
    container = _docker(
        "run", "--rm", "--detach", *binding, *ports, "--env", f"C={CONFIGURATION}", IMAGE, "--config=env:C"
    )
    try:
        health = f"http://{_published(container, 13133)}/"
        if not wait_until(lambda: answers(health), START_SECONDS, interval=0.1):
            raise CollectorError(f"no response from {health} within {START_SECONDS:g} s: see docker logs {container}")
        yield IMAGE, f"http://{_published(container, 4318)}"
    finally:
        _docker("rm", "--force", container)


def _docker_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode == 0


def _published(container: str, port: int) -> str:
    return _docker("port", container, str(port)).splitlines()[0]


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


@contextlib.contextmanager
def _sink() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Discard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


class _Discard(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""
