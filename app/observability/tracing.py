"""Traces: spans of requests and SQL statements, sent to the collector, flushed within a bound at the end."""

import threading
from typing import TYPE_CHECKING, NamedTuple

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace

from app.observability.delivery import Delivery
from app.observability.platform_requests import from_platform
from app.observability.resource import resource
from app.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


class Traces(NamedTuple):
    """What makes the spans, and what becomes of them."""

    provider: "TracerProvider"
    delivery: Delivery

    def flush(self, seconds: float) -> bool:
        """Send what is left and stop, within `seconds`. Returns whether it was finished by then.

        The SDK's own bounds do not hold: with the collector gone its shutdown took 7 to 30 s (opentelemetry-python
        #4568), so it runs in a daemon thread that the process does not wait for.
        """
        worker = threading.Thread(target=self.provider.shutdown, daemon=True)
        worker.start()
        worker.join(seconds)
        self.delivery.close()
        return not worker.is_alive()


def configure_tracing(settings: Settings) -> Traces | None:
    """Start the sending of spans. None, and no cost, where no endpoint is set."""
    if settings.otel_exporter_otlp_endpoint is None:
        return None
    # Imported here, for they lengthen the start from 0.39 to 0.46 s, and without an endpoint for nothing.
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    from app.observability.export import AccountedExporter, AccountedProcessor

    provider = TracerProvider(
        resource=Resource.create(resource(settings)),
        sampler=ParentBasedTraceIdRatio(settings.otel_traces_sampler_arg),
        shutdown_on_exit=False,  # exit handlers do not run where uvicorn is not PID 1: the lifespan flushes
    )
    delivery = Delivery(settings.otel_exporter_otlp_endpoint)
    exporter = AccountedExporter(settings.otel_exporter_otlp_endpoint, delivery)
    provider.add_span_processor(AccountedProcessor(exporter, settings.otel_bsp_schedule_delay))
    trace.set_tracer_provider(provider)
    return Traces(provider, delivery)


def request_spans(traces: Traces | None) -> TelemetryConfig:
    """FastAPI's own telemetry: one span a request, and nothing else. Metrics and logs are the service's."""
    return {
        "tracing": traces is not None,
        "tracer_provider": traces.provider if traces else None,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
        "exclude": from_platform,
    }
