"""Traces: spans of requests and SQL statements, sent to the collector, flushed within a bound at the end."""

import os
import threading
from typing import TYPE_CHECKING

from fastapi import FastAPI

from app.observability.resource import resource
from app.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

# The stable semantic conventions (http.request.method, db.query.text) instead of the instrumentations' old names.
os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")

EXPORT_TIMEOUT_SECONDS = 2
# Short, so that little is left to send when the process ends.
EXPORT_EVERY_MILLISECONDS = 1000


def configure_tracing(app: FastAPI, settings: Settings) -> "TracerProvider | None":
    """Instrument the app and the database driver. None, and no cost, where no endpoint is set."""
    if settings.otel_exporter_otlp_endpoint is None:
        return None
    # Imported here, for they lengthen the start from 0.51 to 0.63 s, and without an endpoint for nothing.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    provider = TracerProvider(
        resource=Resource.create(resource(settings)),
        sampler=ParentBasedTraceIdRatio(settings.otel_traces_sampler_arg),
        shutdown_on_exit=False,  # exit handlers do not run where uvicorn is not PID 1: the lifespan flushes
    )
    exporter = OTLPSpanExporter(
        endpoint=f"{settings.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_SECONDS
    )
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_EVERY_MILLISECONDS))
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=provider, excluded_urls="/health/,/metrics", exclude_spans=["receive", "send"]
    )
    AsyncPGInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
    return provider


def flush(provider: "TracerProvider", seconds: float) -> bool:
    """Send what is left and stop, within `seconds`. Returns whether it was finished by then.

    The SDK's own bounds do not hold: with the collector gone its shutdown took 7 to 30 s (opentelemetry-python #4568),
    so it runs in a daemon thread that the process does not wait for.
    """
    worker = threading.Thread(target=provider.shutdown, daemon=True)
    worker.start()
    worker.join(seconds)
    return not worker.is_alive()
