"""Logging: one JSON object per line on stdout, with the trace and the user of the request."""

import logging
import logging.config
from collections.abc import Mapping
from contextvars import ContextVar

from opentelemetry import trace
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

user_id: ContextVar[str | None] = ContextVar("user_id", default=None)


class Correlation(logging.Filter):
    """Adds the current trace ID, span ID and user ID to a record, if any."""

    def filter(self, record: logging.LogRecord) -> bool:
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            record.trace_id = trace.format_trace_id(span.trace_id)
            record.span_id = trace.format_span_id(span.span_id)
        if (user := user_id.get()) is not None:
            record.user_id = user
        return True


def configure_logging(level: str, resource: Mapping[str, str]) -> None:
    """Send every logger to stdout as JSON, with `resource` on each line.

    This disables uvicorn's access log, because the service writes its own.
    """
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"correlation": {"()": Correlation}},
            "formatters": {
                "json": {
                    "()": JsonFormatter,
                    "fmt": "{levelname}{name}{message}",
                    "style": "{",
                    "rename_fields": {"levelname": "level", "name": "logger"},
                    "timestamp": True,
                    "static_fields": dict(resource),
                    "reserved_attrs": [*RESERVED_ATTRS, "color_message"],  # uvicorn's second copy of its message
                }
            },
            "handlers": {
                "stdout": {
                    "class": "logging.StreamHandler",
                    "stream": "ext://sys.stdout",
                    "formatter": "json",
                    "filters": ["correlation"],
                }
            },
            "root": {"level": level.upper(), "handlers": ["stdout"]},
            "loggers": {
                "uvicorn": {"level": level.upper(), "handlers": [], "propagate": True},
                "uvicorn.error": {"level": level.upper(), "handlers": [], "propagate": True},
                "alembic": {"level": "WARNING"},  # app.migrations logs each revision itself
                "uvicorn.access": {"handlers": [], "propagate": False},
            },
        }
    )
