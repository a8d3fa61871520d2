"""The SDK's queue and exporter, which report every span to `Delivery`."""

import logging
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from app.observability.delivery import BATCH, MOST_WAITING, Delivery

EXPORT_TIMEOUT_SECONDS = 2


class AccountedProcessor(BatchSpanProcessor):
    """The SDK's queue, bounded by `Delivery`. The SDK itself drops spans without counting them."""

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
    """The SDK's exporter. It suppresses the SDK's log lines and passes the first to `Delivery` as the reason."""

    def __init__(self, endpoint: str, delivery: Delivery) -> None:
        super().__init__(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_SECONDS)
        self.delivery = delivery
        self._log = _Captured()
        logging.getLogger(trace_exporter.__name__).addFilter(self._log)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        self._log.messages.clear()
        try:
            result = super().export(spans)
        finally:
            if result is SpanExportResult.SUCCESS:
                self.delivery.arrived(len(spans))
            else:
                self.delivery.failed(len(spans), self._log.first())
        return result


class _Captured(logging.Filter):
    """Collects a logger's messages and suppresses them."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        self.messages.append(record.getMessage())
        return False

    def first(self) -> str:
        """The first message, which names the cause. The later ones report the retries."""
        return self.messages[0] if self.messages else "unknown"
