"""Serves /metrics from the judge's own event loop: the text of a scrape is a few kilobytes."""

import asyncio
import contextlib

from drydock.core.errors import CannotRunError
from drydock.judge.metrics import OPEN_METRICS, PLAIN, Metrics

# A client that is slower than this is given up.
PATIENCE_SECONDS = 5.0


class Exposition:
    """Serves the metrics, and knows when they were scraped."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._server: asyncio.Server | None = None
        self._scraped = asyncio.Event()

    async def open(self, port: int) -> None:
        """Begins to listen.

        Raises:
            CannotRunError: the port is taken.
        """
        try:
            self._server = await asyncio.start_server(self._serve, "0.0.0.0", port)  # noqa: S104 - Prometheus is elsewhere
        except OSError as error:
            reason = f"port {port} for /metrics cannot be taken: {error}"
            raise CannotRunError(reason, "Set JUDGE_METRICS_PORT to another one.") from error

    async def scraped(self) -> None:
        """Waits for a scrape that begins after this call: an earlier one may lack the last counts."""
        self._scraped = asyncio.Event()
        await self._scraped.wait()

    def close(self) -> None:
        """Listens no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        scraped = self._scraped  # as of now
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                writer.write(self._answer(head))
                await writer.drain()
                if _asks_for_metrics(head):
                    scraped.set()
        writer.close()

    def _answer(self, head: str) -> bytes:
        if not _asks_for_metrics(head):
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        openmetrics = "application/openmetrics-text" in head.lower()
        body = self._metrics.text(openmetrics).encode()
        kind = OPEN_METRICS if openmetrics else PLAIN
        lines = "HTTP/1.1 200 OK", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _asks_for_metrics(head: str) -> bool:
    method, path = (*head.split(" ", 2), "", "")[:2]
    return method == "GET" and path.partition("?")[0] == "/metrics"
