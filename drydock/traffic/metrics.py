"""What the load generator measures, for Prometheus. Every outcome is there from the start, so that it has a rate."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, Counter, Histogram, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from drydock.core.errors import CannotRunError
from drydock.requests.outcome import Outcome

# Those of the service's own http_request_duration_seconds, so that both sides can be compared.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10)
# How long the end of the server may take.
SHUTDOWN_POLL_SECONDS = 0.1

REGISTRY = CollectorRegistry()
REQUESTS = Counter("client_requests_total", "Requests sent, by what became of them.", ["outcome"], registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "client_request_duration_seconds",
    "Time from a request's intended start to the last byte of its response, of those that came whole.",
    buckets=BUCKETS,
    registry=REGISTRY,
)
LATE_STARTS = Counter(
    "client_late_starts_total", "Requests that this client could not start when it should have.", registry=REGISTRY
)

for _outcome in Outcome:
    REQUESTS.labels(_outcome)


def observe(outcome: Outcome, seconds: float | None, exemplar: dict[str, str] | None) -> None:
    """Record one request; `seconds` where a whole response came, `exemplar` where its trace was kept."""
    REQUESTS.labels(outcome).inc(exemplar=exemplar)
    if seconds is not None:
        REQUEST_SECONDS.observe(seconds, exemplar=exemplar)


class Exposition:
    """Serves /metrics, and knows when it was scraped. Use it as a context manager."""

    def __init__(self, port: int) -> None:
        self._metrics = make_wsgi_app(REGISTRY)
        self._tell: Callable[[], object] = lambda: None
        try:
            self._server = make_server("", port, self._answer, ThreadingWSGIServer, _Quiet)
        except OSError as error:
            raise CannotRunError(
                f"port {port} for /metrics cannot be taken: {error}", "Choose another: --metrics-port."
            ) from error

    @property
    def port(self) -> int:
        """The port that was taken."""
        return self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(SHUTDOWN_POLL_SECONDS,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    async def scraped(self) -> None:
        """Waits for a scrape that begins after this call."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        self._tell = lambda: loop.call_soon_threadsafe(done.set)
        await done.wait()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        tell = self._tell  # as of now: a scrape that began before somebody waited may lack the last counts
        yield from self._metrics(environ, start_response)
        if environ["PATH_INFO"] == "/metrics":
            tell()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing: stdout is the report."""
