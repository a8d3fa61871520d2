"""The metrics of the database pool, and helpers for all metrics."""

from collections.abc import Callable, Mapping

from opentelemetry import trace
from prometheus_client import REGISTRY, Counter, Gauge, Histogram

ACQUIRE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)

POOL_CONNECTIONS = Gauge("database_pool_connections", "Connections of the pool, by state.", ["state"])
POOL_LIMIT = Gauge("database_pool_limit", "Maximum size of the pool.")
POOL_WAITING = Gauge("database_pool_waiting", "Requests waiting for a connection of the pool.")
POOL_ACQUIRE_SECONDS = Histogram(
    "database_pool_acquire_seconds", "Time a request waited for a connection of the pool.", buckets=ACQUIRE_BUCKETS
)
DATABASE_UNAVAILABLE = Counter(
    "database_unavailable_total", "Requests that failed because the database was unavailable.", ["reason"]
)


def exemplar() -> dict[str, str] | None:
    """The labels that link a sample to its trace. None if the trace is not sampled."""
    span = trace.get_current_span().get_span_context()
    if not span.trace_flags.sampled:
        return None
    return {"trace_id": trace.format_trace_id(span.trace_id), "span_id": trace.format_span_id(span.span_id)}


def describe_target(resource: Mapping[str, str]) -> None:
    """Export the resource as `target_info`, as OpenTelemetry does for Prometheus: dots become underscores."""
    REGISTRY.set_target_info({name.replace(".", "_"): value for name, value in resource.items()})


def watch_pool(limit: int, in_use: Callable[[], float], idle: Callable[[], float]) -> None:
    """Read the pool's state at each scrape."""
    POOL_LIMIT.set(limit)
    POOL_CONNECTIONS.labels("in_use").set_function(in_use)
    POOL_CONNECTIONS.labels("idle").set_function(idle)
