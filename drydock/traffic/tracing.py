"""A span for each request, written by hand: the caller's side of the trace that the service goes on with."""

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from drydock.failures import CannotRunError
from drydock.traffic.client import Answer, Operation
from drydock.traffic.outcomes import Outcome

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

EXPORT_TIMEOUT_SECONDS = 2
EXPORT_EVERY_MILLISECONDS = 1000
FLUSH_SECONDS = 3.0

# The resource's attributes, and the variables that they come from.
IDENTITY = {
    "service.version": "SERVICE_VERSION",
    "service.instance.id": "POD_NAME",
    "k8s.pod.name": "POD_NAME",
    "k8s.node.name": "NODE_NAME",
    "k8s.namespace.name": "POD_NAMESPACE",
}


class Tracing:
    """Begins and ends the spans of requests to one service."""

    def __init__(self, provider: "TracerProvider", url: str) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(__name__)
        address = urlsplit(url)
        self._url = url
        self._server: dict[str, str | int] = {
            "server.address": address.hostname or "",
            "server.port": address.port or (443 if address.scheme == "https" else 80),
        }

    @classmethod
    def from_environment(cls, url: str) -> Self | None:
        """Reads OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_TRACES_SAMPLER_ARG; None, and no cost, where no endpoint is set.

        Raises:
            CannotRunError: the share of traces to keep is not one.
        """
        endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
        return cls(_provider(endpoint, _share()), url) if endpoint else None

    def begin(self, operation: Operation) -> "Span":
        """Starts the span of a request that is about to be sent."""
        from opentelemetry.trace import SpanKind

        return self._tracer.start_span(
            f"{operation.method} {operation.route}",
            kind=SpanKind.CLIENT,
            attributes={
                **self._server,
                "http.request.method": operation.method,
                "url.full": f"{self._url}{operation.path}",
                "url.template": operation.route,
            },
        )

    def flush(self) -> bool:
        """Sends what is left and stops, within `FLUSH_SECONDS`; returns whether it was finished by then.

        The SDK's own bounds do not hold where the collector is gone, so it runs in a daemon thread.
        """
        worker = threading.Thread(target=self._provider.shutdown, daemon=True)
        worker.start()
        worker.join(FLUSH_SECONDS)
        return not worker.is_alive()


def headers_of(span: "Span") -> dict[str, str]:
    """The `traceparent` by which the service joins the trace; its sampling follows this side's."""
    from opentelemetry.trace import set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier, set_span_in_context(span))
    return carrier


def end(span: "Span", answer: Answer) -> None:
    """Ends the span with what became of the request."""
    from opentelemetry.trace import Status, StatusCode

    if answer.status is not None:
        span.set_attribute("http.response.status_code", answer.status)
    if answer.outcome is not Outcome.OK:
        whole = answer.outcome in (Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR)
        span.set_attribute("error.type", str(answer.status) if whole else str(answer.outcome))
        span.set_status(Status(StatusCode.ERROR, answer.reason or None))
    span.end()


def exemplar(span: "Span") -> dict[str, str] | None:
    """The labels that lead from a sample to its trace; None where the trace was not kept."""
    from opentelemetry.trace import format_span_id, format_trace_id

    context = span.get_span_context()
    if not context.trace_flags.sampled:
        return None
    return {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}


def _share() -> float:
    text = os.environ.get("OTEL_TRACES_SAMPLER_ARG") or "1"
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise CannotRunError(f"OTEL_TRACES_SAMPLER_ARG is {text!r}", "Set it to the share of traces to keep, 0 to 1.")
    return share


def _provider(endpoint: str, share: float) -> "TracerProvider":
    # Imported here, for they take longer than all the rest, and without an endpoint for nothing.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    provider = TracerProvider(
        resource=Resource.create({"service.name": "traffic", **_identity(os.environ)}),
        sampler=ParentBasedTraceIdRatio(share),
        shutdown_on_exit=False,  # flush() does it, within a bound
    )
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_EVERY_MILLISECONDS))
    return provider


def _identity(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[variable] for name, variable in IDENTITY.items() if environment.get(variable)}
