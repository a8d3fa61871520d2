"""Unhandled exceptions: logged with their trace, reported to Sentry, answered with a plain 500."""

import logging

from opentelemetry import trace
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observability import sentry
from app.problems import problem_response

logger = logging.getLogger("app.unexpected")


class UnhandledErrors:
    """The innermost middleware: its response passes through all the others.

    Starlette's own handler for `Exception` runs outside them.
    """

    def __init__(self, app: ASGIApp, report: bool) -> None:
        self.app = app
        self.report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            return await self.app(scope, receive, send_noting)
        except Exception as error:
            self._report(error)
            if started:
                raise  # the response has started: the server can only close the connection
            response = problem_response(500, "Internal error. The service has logged it.")
            return await response(scope, receive, send)

    def _report(self, error: Exception) -> None:
        span = trace.get_current_span()
        span.record_exception(error)
        logger.exception("unexpected", extra={"exception": type(error).__name__})
        if self.report:
            context = span.get_span_context()
            sentry.report(error, trace.format_trace_id(context.trace_id) if context.is_valid else None)
