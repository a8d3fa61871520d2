"""Traces: spans of requests and SQL statements, sent to the collector. The flush at shutdown is bounded."""

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
    """The tracer provider and the delivery counts of its spans."""

    provider: "TracerProvider"
    delivery: Delivery

    def flush(self, seconds: float) -> bool:
        """Send the remaining spans and shut down. Returns False if this takes longer than `seconds`.

        The SDK exceeds its own timeouts: without a collector its shutdown took 7 to 30 s (opentelemetry-python #4568).
        It therefore runs in a daemon thread, which does not block the exit of the process.
        """
        worker = threading.Thread(target=self.provider.shutdown, daemon=True)
        worker.start()
        worker.join(seconds)
        self.delivery.close()
        return not worker.is_alive()


def configure_tracing(settings: Settings) -> Traces | None:
    """Start exporting spans. Returns None, at no cost, if no endpoint is set."""
    if settings.otel_exporter_otlp_endpoint is None:
        return None
    # Imported only when needed: these modules lengthen the startup from 0.39 to 0.46 s.
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    from app.observability.export import AccountedExporter, AccountedProcessor

    provider = TracerProvider(
        resource=Resource.create(resource(settings)),
        sampler=ParentBasedTraceIdRatio(settings.otel_traces_sampler_arg),
        shutdown_on_exit=False,  # exit handlers do not run if uvicorn is not PID 1: the lifespan flushes
    )
    delivery = Delivery(settings.otel_exporter_otlp_endpoint)
    exporter = AccountedExporter(settings.otel_exporter_otlp_endpoint, delivery)
    provider.add_span_processor(AccountedProcessor(exporter, settings.otel_bsp_schedule_delay))
    trace.set_tracer_provider(provider)
    return Traces(provider, delivery)


def request_spans(traces: Traces | None) -> TelemetryConfig:
    """FastAPI's own telemetry, limited to one span per request. The service has its own metrics and logs."""
    return {
        "tracing": traces is not None,
        "tracer_provider": traces.provider if traces else None,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
        "exclude": from_platform,
    }
