"""A running service with its telemetry stack, and one request to it that can be found again."""

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
    """Where the service and its telemetry are, and how to read its log lines."""

    service: str
    jaeger: Jaeger
    prometheus: Prometheus
    grafana: str
    log_lines: LogLines
    # The OpenTelemetry names by which every signal says where it came from.
    identity: frozenset[str]

    @classmethod
    def at(cls, service: str, pages: TelemetryAddresses, log_lines: LogLines, identity: set[str]) -> Self:
        """The stack whose pages are at these addresses."""
        return cls(
            service, Jaeger(pages.jaeger), Prometheus(pages.prometheus), pages.grafana, log_lines, frozenset(identity)
        )


@dataclass(frozen=True)
class TracedRequest:
    """One request for a product, under a trace id that nobody else has."""

    trace_id: str = field(default_factory=lambda: secrets.token_hex(16))
    caller_span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    sent_at: float = field(default_factory=time.time)

    @property
    def headers(self) -> dict[str, str]:
        """What a caller with a sampled span of its own sends along."""
        return {"traceparent": f"00-{self.trace_id}-{self.caller_span_id}-01"}

    def send(self, service: str) -> Self:
        """Sends it once, on a connection of its own."""
        answer = httpx2.get(f"{service}/products/1", headers=self.headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return self
