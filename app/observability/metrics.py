"""The service's own metrics, one series a name, and the recording of one observation a request."""

from collections.abc import Callable, Mapping

from opentelemetry import trace
from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_fastapi_instrumentator.metrics import Info

# From a cached read (5 ms) to the longest wait a caller can meet (acquire 2 s + statement 5 s), dense where the
# latency objectives lie.
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10)
ACQUIRE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)

# Methods of RFC 9110 and RFC 5789. A client may send any word: each would be a series of its own.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})

REQUESTS = Counter("http_requests_total", "Requests answered.", ["method", "handler", "status"])
REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time from the request's arrival to the start of its response.",
    ["method", "handler", "status"],
    buckets=LATENCY_BUCKETS,
)
REQUESTS_IN_FLIGHT = Gauge("http_requests_in_flight", "Requests being answered at this moment.")

POOL_CONNECTIONS = Gauge("database_pool_connections", "Connections of the pool, by state.", ["state"])
POOL_LIMIT = Gauge("database_pool_limit", "The most connections the pool may hold.")
POOL_WAITING = Gauge("database_pool_waiting", "Requests waiting for a connection of the pool.")
POOL_ACQUIRE_SECONDS = Histogram(
    "database_pool_acquire_seconds", "Time a request waited for a connection of the pool.", buckets=ACQUIRE_BUCKETS
)
DATABASE_UNAVAILABLE = Counter(
    "database_unavailable_total", "Requests that the database, or the wait for it, failed.", ["reason"]
)


def exemplar() -> dict[str, str] | None:
    """The labels that lead from a sample to its trace; None where no trace was kept."""
    span = trace.get_current_span().get_span_context()
    if not span.trace_flags.sampled:
        return None
    return {"trace_id": trace.format_trace_id(span.trace_id), "span_id": trace.format_span_id(span.span_id)}


def observe_request(info: Info) -> None:
    """Record one answered request. Its time ends where the response starts, so that a stream does not count as slow."""
    method = info.method if info.method in METHODS else "other"
    labels = (method, info.modified_handler, info.modified_status)
    found = exemplar()
    REQUESTS.labels(*labels).inc(exemplar=found)
    REQUEST_SECONDS.labels(*labels).observe(info.modified_duration_without_streaming, exemplar=found)


def describe_target(resource: Mapping[str, str]) -> None:
    """Name the resource in `target_info`, as OpenTelemetry does for Prometheus: dots become underscores."""
    REGISTRY.set_target_info({name.replace(".", "_"): value for name, value in resource.items()})


def watch_pool(limit: int, in_use: Callable[[], float], idle: Callable[[], float]) -> None:
    """Read the pool's state whenever the metrics are scraped."""
    POOL_LIMIT.set(limit)
    POOL_CONNECTIONS.labels("in_use").set_function(in_use)
    POOL_CONNECTIONS.labels("idle").set_function(idle)
