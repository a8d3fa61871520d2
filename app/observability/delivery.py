"""Span delivery: counts every finished span as delivered to the collector or as lost."""

import logging
import threading
import time

from prometheus_client import Counter

logger = logging.getLogger("app.telemetry")

# The most spans in memory, queued or in the batch being sent: about 4 MiB.
MOST_WAITING = 2048
BATCH = 512

SPANS = Counter("telemetry_spans_total", "Finished spans, by result: delivered to the collector or lost.", ["result"])
DELIVERED, LOST = SPANS.labels("delivered"), SPANS.labels("lost")


class Delivery:
    """Counts delivered and lost spans. Thread-safe. Logs one line when losses begin and one when they end."""

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
        """Reserve a place in the queue for a finished span. If the queue is full, count it as lost and return False."""
        with self._lock:
            admitted = self._waiting < MOST_WAITING
            self._waiting += admitted
        if not admitted:
            self._lose(1, f"the queue is full ({MOST_WAITING} spans)")
        return admitted

    def arrived(self, spans: int) -> None:
        """Count queued spans as delivered."""
        with self._lock:
            if self._closed:
                return
            self._waiting -= spans
            self.delivered += spans
            recovered = self._failing_since is not None and self._waiting < BATCH
        DELIVERED.inc(spans)
        if recovered:
            self._log_recovery()

    def failed(self, spans: int, reason: str) -> None:
        """Count queued spans as lost."""
        with self._lock:
            if self._closed:
                return
            self._waiting -= spans
        self._lose(spans, reason)

    def close(self) -> None:
        """Count all queued spans as lost, at the end of the process."""
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
                    "effect": "lost spans are counted; requests are not affected; each batch retries the export",
                },
            )

    def _log_recovery(self) -> None:
        with self._lock:
            since, self._failing_since = self._failing_since, None
            lost = self.lost - self._lost_before
        if since is not None:
            seconds = round(time.monotonic() - since, 1)
            logger.info("telemetry_recovered", extra={"endpoint": self._endpoint, "seconds": seconds, "lost": lost})
