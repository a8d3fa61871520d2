"""A client of Jaeger's HTTP API."""

from dataclasses import dataclass
from typing import Any, Self

import httpx2

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Span:
    """One span with its resource attributes."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    attributes: dict[str, Any]
    service: str
    resource: dict[str, Any]

    @classmethod
    def parse(cls, span: dict[str, Any], processes: dict[str, Any]) -> Self:
        """Parse a span in Jaeger's own JSON format."""
        attributes, process = _tags(span["tags"]), processes[span["processID"]]
        parents = [item["spanID"] for item in span.get("references") or [] if item["refType"] == "CHILD_OF"]
        return cls(
            span_id=span["spanID"],
            parent_id=parents[0] if parents else None,
            name=span["operationName"],
            kind=attributes.get("span.kind", "internal"),
            attributes=attributes,
            service=process["serviceName"],
            resource={"service.name": process["serviceName"], **_tags(process["tags"])},
        )


@dataclass(frozen=True)
class Jaeger:
    """The HTTP API of a running Jaeger."""

    url: str

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of a trace. Empty until Jaeger has stored it."""
        answer = httpx2.get(f"{self.url}/api/traces/{trace_id}", timeout=TIMEOUT_SECONDS)
        return _spans(answer.json()) if answer.status_code == 200 else []

    def recent(self, service: str, limit: int = 100) -> list[list[Span]]:
        """The newest traces with spans of a service."""
        parameters = {"service": service, "limit": str(limit), "lookback": "1h"}
        found = httpx2.get(f"{self.url}/api/traces", params=parameters, timeout=TIMEOUT_SECONDS).json()
        return [_spans({"data": [trace]}) for trace in found["data"]]

    def operations(self, service: str) -> set[str]:
        """The names of all spans of a service."""
        answer = httpx2.get(f"{self.url}/api/services/{service}/operations", timeout=TIMEOUT_SECONDS)
        return set(answer.json()["data"])

    def performance(self, service: str, measure: str) -> list[float]:
        """The last hour of service performance monitoring. `measure` is calls, errors or latencies."""
        parameters = {"service": service, "lookback": "3600000", "step": "5000", "ratePer": "60000", "quantile": "0.95"}
        answer = httpx2.get(f"{self.url}/api/metrics/{measure}", params=parameters, timeout=TIMEOUT_SECONDS)
        series = answer.raise_for_status().json().get("metrics") or []
        points = [point for one in series for point in one["metricPoints"]]
        return [point["gaugeValue"]["doubleValue"] for point in points if "doubleValue" in point["gaugeValue"]]


def _spans(document: dict[str, Any]) -> list[Span]:
    return [Span.parse(span, trace["processes"]) for trace in document["data"] or [] for span in trace["spans"]]


def _tags(tags: list[dict[str, Any]]) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in tags}
