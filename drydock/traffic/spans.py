"""A span for each request, written by hand: the caller's side of the trace that the service goes on with."""

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_span_id, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from drydock.requests.outcome import WHOLE, Outcome
from drydock.traffic.client import Answer, Operation

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


class CountingExporter(OTLPSpanExporter):
    """Counts the spans that the collector took."""

    delivered = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        if result is SpanExportResult.SUCCESS:
            self.delivered += len(spans)
        return result


class ClientSpan:
    """The span of one request."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def headers(self) -> dict[str, str]:
        """The `traceparent` by which the service joins the trace; whether it keeps it follows from this side."""
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, set_span_in_context(self._span))
        return carrier

    @property
    def exemplar(self) -> dict[str, str] | None:
        """The labels that lead from a sample to its trace; None where the trace is not kept."""
        context = self._span.get_span_context()
        if not context.trace_flags.sampled:
            return None
        return {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}

    def end(self, answer: Answer) -> None:
        """Ends it with what became of the request."""
        if answer.status is not None:
            self._span.set_attribute("http.response.status_code", answer.status)
        if answer.outcome is not Outcome.OK:
            self._span.set_attribute("error.type", str(answer.status if answer.outcome in WHOLE else answer.outcome))
            self._span.set_status(Status(StatusCode.ERROR, answer.reason or None))
        self._span.end()


class Tracing:
    """The spans of requests to one service, of which the share `share` is kept and sent to `endpoint`."""

    def __init__(self, endpoint: str, share: float, url: str) -> None:
        # The SDK would say of each batch that it failed: lost() says how many spans that were.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self.endpoint = endpoint.rstrip("/")
        self._exporter = CountingExporter(endpoint=f"{self.endpoint}/v1/traces", timeout=EXPORT_TIMEOUT_SECONDS)
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "traffic", **_identity(os.environ)}),
            sampler=ParentBasedTraceIdRatio(share),
            shutdown_on_exit=False,  # lost() does it, within a bound
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(self._exporter, schedule_delay_millis=EXPORT_EVERY_MILLISECONDS)
        )
        self._tracer = self._provider.get_tracer(__name__)
        self._url = url
        self._kept = 0
        address = urlsplit(url)
        self._server: dict[str, str | int] = {
            "server.address": address.hostname or "",
            "server.port": address.port or (443 if address.scheme == "https" else 80),
        }

    def begin(self, operation: Operation) -> ClientSpan:
        """Starts the span of a request that is about to be sent."""
        span = self._tracer.start_span(
            f"{operation.method} {operation.route}",
            kind=SpanKind.CLIENT,
            attributes={
                **self._server,
                "http.request.method": operation.method,
                "url.full": f"{self._url}{operation.path}",
                "url.template": operation.route,
            },
        )
        self._kept += span.is_recording()
        return ClientSpan(span)

    def lost(self) -> int:
        """Sends what is left and stops, within `FLUSH_SECONDS`; how many spans the collector did not take.

        The SDK's own bounds do not hold where the collector is gone, so it runs in a daemon thread.
        """
        worker = threading.Thread(target=self._provider.shutdown, daemon=True)
        worker.start()
        worker.join(FLUSH_SECONDS)
        return self._kept - self._exporter.delivered


def _identity(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[variable] for name, variable in IDENTITY.items() if environment.get(variable)}
