"""HTTP_PROXY never catches a request to this machine."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from drydock.cluster import autoscaler, registry
from drydock.system import http
from drydock.system.ports import free_port
from drydock.telemetry import jaeger
from drydock.telemetry.grafana import Grafana

BODIES = {
    "/api/search": b"[]",
    "/api/traces": b'{"data": [{"processes": {"p1": {"serviceName": "service"}}}]}',
}
REFUSED = b'{"status": "error", "error": "it was asked"}'


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        body = next((body for path, body in BODIES.items() if self.path.startswith(path)), REFUSED)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server beside a proxy that does not answer."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(registry, "PORT", server.server_port)
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "answered",
    [
        pytest.param(lambda url: http.answers(url), id="readiness"),
        pytest.param(lambda _: registry.holds("postgres:18"), id="an image of the registry"),
        pytest.param(lambda _: registry._answers(), id="the registry"),
        pytest.param(lambda url: "it was asked" in (autoscaler._complaint(url, "up") or ""), id="Prometheus"),
        pytest.param(lambda url: Grafana(url).tagged("x") == [], id="Grafana"),
        pytest.param(lambda url: jaeger.arrived(url, "0123", "judge"), id="Jaeger"),
    ],
)
def test_a_request_to_this_machine_arrives(port: int, answered: Callable[[str], bool]) -> None:
    assert answered(f"http://127.0.0.1:{port}")
