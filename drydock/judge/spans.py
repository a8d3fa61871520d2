"""A client span for each request whose trace is kept: the caller's side of the trace that the service goes on with.

Spans leave as OTLP over HTTP in its JSON form, in batches from a thread of its own, and are sent once: what the
collector does not take is counted as lost. Where the thread falls behind, new spans are lost, and no request waits.
"""

import http.client
import json
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from drydock.judge.exchange import Exchange, span_of
from drydock.judge.ledger import NAME
from drydock.requests.outcome import WHOLE, Outcome

EXPORT_SECONDS = 1.0
TIMEOUT_SECONDS = 2.0
FLUSH_SECONDS = 3.0
# While a batch becomes JSON, the event loop waits: 200 spans take a millisecond.
BATCH = 200
MOST_WAITING = 10_000
# The enumerations of OTLP: SPAN_KIND_CLIENT, STATUS_CODE_ERROR.
CLIENT, ERROR = 3, 2
# The resource's attributes, and the variables that they come from.
IDENTITY = {
    "service.version": "SERVICE_VERSION",
    "service.instance.id": "POD_NAME",
    "k8s.pod.name": "POD_NAME",
    "k8s.node.name": "NODE_NAME",
    "k8s.namespace.name": "POD_NAMESPACE",
}


class Finished(NamedTuple):
    """A request that has its outcome, with its times in Unix seconds."""

    exchange: Exchange
    outcome: Outcome
    started: float
    ended: float


class SpanExporter:
    """Sends the spans of requests to `url` to the collector at `endpoint`."""

    def __init__(self, endpoint: str, url: str, environment: Mapping[str, str]) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._url = url.rstrip("/")
        address = urlsplit(url)
        port = address.port or (443 if address.scheme == "https" else 80)
        self._server: dict[str, str | int] = {"server.address": address.hostname or "", "server.port": port}
        known = {name: environment[variable] for name, variable in IDENTITY.items() if environment.get(variable)}
        self._resource = {"attributes": _attributes({"service.name": NAME, **known})}
        self._waiting: deque[Finished] = deque()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._export, name="spans", daemon=True)
        self._kept = self._delivered = 0

    def start(self) -> None:
        """Begins to export."""
        self._thread.start()

    def ended(self, finished: Finished) -> None:
        """A request has its outcome."""
        self._kept += 1
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(finished)

    def close(self) -> int:
        """Sends the remaining spans within `FLUSH_SECONDS`. Returns the number of lost spans."""
        self._over.set()
        self._thread.join(FLUSH_SECONDS)
        return self._kept - self._delivered

    def _export(self) -> None:
        over = False
        while not over:
            over = self._over.wait(EXPORT_SECONDS)
            while batch := [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]:
                if self._post(json.dumps(self._document(batch)).encode()):
                    self._delivered += len(batch)

    def _post(self, body: bytes) -> bool:
        parts = urlsplit(self.endpoint)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", f"{parts.path}/v1/traces", body, {"Content-Type": "application/json"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _document(self, batch: list[Finished]) -> dict[str, Any]:
        spans = [self._span(finished) for finished in batch]
        scope = {"scope": {"name": __name__}, "spans": spans}
        return {"resourceSpans": [{"resource": self._resource, "scopeSpans": [scope]}]}

    def _span(self, finished: Finished) -> dict[str, Any]:
        exchange = finished.exchange
        return {
            "traceId": exchange.trace,
            "spanId": span_of(exchange.trace),
            "name": exchange.request.operation,
            "kind": CLIENT,
            "startTimeUnixNano": _nanoseconds(finished.started),
            "endTimeUnixNano": _nanoseconds(finished.ended),
            "attributes": _attributes({**self._server, **self._asked(exchange), **_answered(finished)}),
            "status": {} if finished.outcome is Outcome.OK else {"code": ERROR, "message": exchange.reason},
        }

    def _asked(self, exchange: Exchange) -> dict[str, str | int]:
        path = exchange.head.split(b" ", 2)[1].decode()
        return {
            "http.request.method": exchange.request.method,
            "url.full": f"{self._url}{path}",
            "url.template": exchange.request.route,
        }


def _answered(finished: Finished) -> dict[str, str | int]:
    status, outcome = finished.exchange.status, finished.outcome
    answered: dict[str, str | int] = {"http.response.status_code": status} if status else {}
    if outcome is not Outcome.OK:
        answered["error.type"] = str(status) if outcome in WHOLE else outcome.value
    return answered


def _attributes(values: Mapping[str, str | int]) -> list[dict[str, Any]]:
    # OTLP's JSON writes 64-bit numbers as text.
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]


def _nanoseconds(seconds: float) -> str:
    return str(int(seconds * 1e9))
