"""A running service with its telemetry stack, and a request with a trace ID of its own."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from drydock.core.project import TelemetryAddresses
from tests.telemetry.jaeger import Jaeger
from tests.telemetry.prometheus import Prometheus

type LogLines = Callable[[], list[dict[str, Any]]]

ROUTE = "/products/{product_id}"


@dataclass(frozen=True)
class Stack:
    """The addresses of the service and its telemetry, and a function that reads its log lines."""

    service: str
    jaeger: Jaeger
    prometheus: Prometheus
    grafana: str
    log_lines: LogLines
    # The names of the OpenTelemetry attributes that identify the source of every signal.
    identity: frozenset[str]

    @classmethod
    def at(cls, service: str, pages: TelemetryAddresses, log_lines: LogLines, identity: set[str]) -> Self:
        return cls(
            service, Jaeger(pages.jaeger), Prometheus(pages.prometheus), pages.grafana, log_lines, frozenset(identity)
        )


@dataclass(frozen=True)
class TracedRequest:
    """One request for a product, with a unique trace ID."""

    trace_id: str = field(default_factory=lambda: secrets.token_hex(16))
    caller_span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    sent_at: float = field(default_factory=time.time)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a client whose own span is sampled."""
        return {"traceparent": f"00-{self.trace_id}-{self.caller_span_id}-01"}

    def send(self, service: str) -> Self:
        """Send the request once, on a new connection."""
        answer = httpx2.get(f"{service}/products/1", headers=self.headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return self
