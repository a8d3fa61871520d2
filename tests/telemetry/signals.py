"""The table of signals that a request must leave behind. Each check is truthy once its signal has arrived."""

from collections.abc import Callable

from tests.telemetry.jaeger import Span
from tests.telemetry.stack import ROUTE, Stack, TracedRequest

type Arrived = Callable[[Stack, TracedRequest], object]

SERVICE, LOAD = "shop", "judge"


def route_span(stack: Stack, request: TracedRequest) -> Span | None:
    """The service's span of the route, a child of the client's span."""
    return next(
        (
            span
            for span in stack.jaeger.trace(request.trace_id)
            if span.kind == "server"
            and span.attributes.get("http.route") == ROUTE
            and span.parent_id == request.caller_span_id
        ),
        None,
    )


def statement_span(stack: Stack, request: TracedRequest) -> Span | None:
    """The span of the SQL statement, a child of the route span. It contains the statement without its values."""
    route = route_span(stack, request)
    return next(
        (
            span
            for span in stack.jaeger.trace(request.trace_id)
            if route
            and span.parent_id == route.span_id
            and span.attributes.get("db.query.text") == "SELECT * FROM products WHERE id = $1"
        ),
        None,
    )


def edge_from_load_to_database(stack: Stack, _: TracedRequest) -> bool:
    """One trace contains the judge's span, its child in the service, and the SQL statement below that."""
    return any(_descends(trace) for trace in stack.jaeger.recent(LOAD))


def metric(stack: Stack, _: TracedRequest) -> float:
    """The route's counter, from a scrape of the service."""
    return stack.prometheus.value(f'http_requests_total{{job="{SERVICE}",handler="{ROUTE}",status="200"}}')


def exemplar(stack: Stack, _: TracedRequest) -> bool:
    """An exemplar of the latency histogram carries the ID of a trace that Jaeger has."""
    return _opens(stack, f'http_request_duration_seconds_bucket{{job="{SERVICE}",handler="{ROUTE}"}}')


def span_metric(stack: Stack, _: TracedRequest) -> float:
    """The collector's count of the route's spans."""
    return stack.prometheus.value(f'traces_span_metrics_calls_total{{service_name="{SERVICE}",http_route="{ROUTE}"}}')


def span_metric_exemplar(stack: Stack, _: TracedRequest) -> bool:
    """An exemplar of the collector's histogram carries the ID of a trace that Jaeger has."""
    return _opens(
        stack, f'traces_span_metrics_duration_seconds_bucket{{service_name="{SERVICE}",http_route="{ROUTE}"}}'
    )


def service_performance(stack: Stack, _: TracedRequest) -> bool:
    """Jaeger's page of rates and latencies, which it queries from the span metrics."""
    return bool(stack.jaeger.performance(SERVICE, "calls") and stack.jaeger.performance(SERVICE, "latencies"))


def log_line(stack: Stack, request: TracedRequest) -> object:
    """The access log line with the request's trace ID."""
    return [line for line in stack.log_lines() if line.get("trace_id") == request.trace_id]


def identity_on_spans(stack: Stack, request: TracedRequest) -> bool:
    """The span's resource has all OpenTelemetry identity attributes."""
    span = route_span(stack, request)
    return bool(span and all(span.resource.get(name) for name in stack.identity))


def identity_on_log_lines(stack: Stack, request: TracedRequest) -> bool:
    """The log line carries the same names and values as the span's resource."""
    span = route_span(stack, request)
    lines = [line for line in stack.log_lines() if line.get("trace_id") == request.trace_id]
    return bool(span and lines and all(lines[0].get(name) == span.resource[name] for name in stack.identity))


def identity_on_metrics(stack: Stack, request: TracedRequest) -> bool:
    """target_info carries the same values. Its names have underscores instead of dots."""
    span = route_span(stack, request)
    known = [labels for labels, _ in stack.prometheus.samples(f'target_info{{job="{SERVICE}"}}')]
    return bool(
        span
        and any(
            all(labels.get(name.replace(".", "_")) == span.resource[name] for name in stack.identity)
            for labels in known
        )
    )


SIGNALS: dict[str, Arrived] = {
    "route span": route_span,
    "SQL span below it": statement_span,
    "judge → service → database": edge_from_load_to_database,
    "metric": metric,
    "exemplar that opens in Jaeger": exemplar,
    "span metric": span_metric,
    "span metric's exemplar that opens in Jaeger": span_metric_exemplar,
    "service performance monitoring": service_performance,
    "log line with the trace id": log_line,
    "identity on spans": identity_on_spans,
    "identity on log lines": identity_on_log_lines,
    "identity on metrics": identity_on_metrics,
}


def _opens(stack: Stack, histogram: str) -> bool:
    """Whether Jaeger has the trace of one of a histogram's newest exemplars."""
    found = stack.prometheus.exemplars(histogram, seconds=300)
    return any(stack.jaeger.trace(item["trace_id"]) for item in found[-5:])


def _descends(trace: list[Span]) -> bool:
    by_id = {span.span_id: span for span in trace}
    for statement in trace:
        route = by_id.get(statement.parent_id or "")
        load = by_id.get(route.parent_id or "") if route else None
        if not (route and load and "db.query.text" in statement.attributes):
            continue
        if (load.service, load.kind, route.service, route.kind) == (LOAD, "client", SERVICE, "server"):
            return True
    return False
