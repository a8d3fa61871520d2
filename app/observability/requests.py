"""The metrics of HTTP requests, one observation per request. Only processes that serve clients import this module."""

from prometheus_client import Counter, Gauge, Histogram
from prometheus_fastapi_instrumentator.metrics import Info

from app.observability.metrics import exemplar

# From a cached read (5 ms) to the longest possible wait (acquire 2 s + statement 5 s), dense around the latency
# objectives.
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10)

# The methods of RFC 9110 and RFC 5789. A client may send any other word, and each would become a series of its own.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})

REQUESTS = Counter("http_requests_total", "Requests answered.", ["method", "handler", "status"])
REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time from the request's arrival to the start of its response.",
    ["method", "handler", "status"],
    buckets=LATENCY_BUCKETS,
)
REQUESTS_IN_FLIGHT = Gauge("http_requests_in_flight", "Requests in flight.")


def observe_request(info: Info) -> None:
    """Record one answered request. Its duration ends at the response's start, so long streams do not count as slow."""
    method = info.method if info.method in METHODS else "other"
    labels = (method, info.modified_handler, info.modified_status)
    found = exemplar()
    REQUESTS.labels(*labels).inc(exemplar=found)
    REQUEST_SECONDS.labels(*labels).observe(info.modified_duration_without_streaming, exemplar=found)
