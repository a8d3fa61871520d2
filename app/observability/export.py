"""The SDK's queue and exporter, with every span entered in the account of its delivery."""

import logging
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from app.observability.delivery import BATCH, MOST_WAITING, Delivery

EXPORT_TIMEOUT_SECONDS = 2


class AccountedProcessor(BatchSpanProcessor):
    """The SDK's queue, of which the account keeps the bound: what the SDK drops by itself, it tells nobody."""

    def __init__(self, exporter: "AccountedExporter", every_milliseconds: int) -> None:
        super().__init__(
            exporter,
            max_queue_size=MOST_WAITING,
            max_export_batch_size=BATCH,
            schedule_delay_millis=every_milliseconds,
        )
        self._delivery = exporter.delivery

    def on_end(self, span: ReadableSpan) -> None:
        if span.context and span.context.trace_flags.sampled and self._delivery.admit():
            super().on_end(span)


class AccountedExporter(OTLPSpanExporter):
    """The SDK's exporter. What it would log of every failed attempt becomes the reason in the account's one line."""

    def __init__(self, endpoint: str, delivery: Delivery) -> None:
        super().__init__(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_SECONDS)
        self.delivery = delivery
        self._said = _Hushed()
        logging.getLogger(trace_exporter.__name__).addFilter(self._said)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        self._said.messages.clear()
        try:
            result = super().export(spans)
        finally:
            if result is SpanExportResult.SUCCESS:
                self.delivery.arrived(len(spans))
            else:
                self.delivery.failed(len(spans), self._said.first())
        return result


class _Hushed(logging.Filter):
    """Keeps a logger's messages instead of letting them out."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        self.messages.append(record.getMessage())
        return False

    def first(self) -> str:
        """The message that says what happened; those after it say that it was tried again."""
        return self.messages[0] if self.messages else "unknown"
