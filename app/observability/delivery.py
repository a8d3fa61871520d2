"""The account of spans: each one that ends is delivered to the collector or lost, and counted as one of the two."""

import logging
import threading
import time

from prometheus_client import Counter

logger = logging.getLogger("app.telemetry")

# The most spans in memory: waiting, or in a batch on its way. Some 4 MiB.
MOST_WAITING = 2048
BATCH = 512

SPANS = Counter("telemetry_spans_total", "Spans that ended, by whether the collector took them.", ["result"])
DELIVERED, LOST = SPANS.labels("delivered"), SPANS.labels("lost")


class Delivery:
    """Counts what becomes of spans, from any thread, and logs once when they are lost and once when no more are."""

    def __init__(self, endpoint: str) -> None:
        self.delivered = 0
        self.lost = 0
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._waiting = 0
        self._closed = False
        self._failing_since: float | None = None
        self._lost_before = 0

    def admit(self) -> bool:
        """Take on one span that ended. False where too many wait already: it is lost."""
        with self._lock:
            admitted = self._waiting < MOST_WAITING
            self._waiting += admitted
        if not admitted:
            self._lose(1, f"{MOST_WAITING} spans wait already")
        return admitted

    def arrived(self, spans: int) -> None:
        """The collector took this many of those waiting."""
        with self._lock:
            if self._closed:
                return
            self._waiting -= spans
            self.delivered += spans
            recovered = self._failing_since is not None and self._waiting < BATCH
        DELIVERED.inc(spans)
        if recovered:
            self._tell_recovery()

    def failed(self, spans: int, reason: str) -> None:
        """This many of those waiting were given up."""
        with self._lock:
            if self._closed:
                return
            self._waiting -= spans
        self._lose(spans, reason)

    def close(self) -> None:
        """The process ends: what waits still is lost."""
        with self._lock:
            self._closed = True
            self.lost += self._waiting
        LOST.inc(self._waiting)

    def _lose(self, spans: int, reason: str) -> None:
        with self._lock:
            first = self._failing_since is None
            if first:
                self._failing_since, self._lost_before = time.monotonic(), self.lost
            self.lost += spans
        LOST.inc(spans)
        if first:
            logger.warning(
                "telemetry_failing",
                extra={
                    "endpoint": self._endpoint,
                    "reason": reason,
                    "effect": "spans are lost, and counted; requests are served as before; each batch tries anew",
                },
            )

    def _tell_recovery(self) -> None:
        with self._lock:
            since, self._failing_since = self._failing_since, None
            lost = self.lost - self._lost_before
        if since is not None:
            seconds = round(time.monotonic() - since, 1)
            logger.info("telemetry_recovered", extra={"endpoint": self._endpoint, "seconds": seconds, "lost": lost})
