"""Exceptions that nothing else expected: logged with their trace, reported, answered with a plain 500."""

import logging

from opentelemetry import trace
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observability import sentry
from app.problems import problem_response

logger = logging.getLogger("app.unexpected")


class UnhandledErrors:
    """The innermost middleware, so that its answer passes through all the others like any response.

    Starlette's own handler for `Exception` sits outside them.
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
            self._tell(error)
            if started:
                raise  # too late for another answer: the server cuts the connection
            response = problem_response(500, "Something went wrong; it has been logged.")
            return await response(scope, receive, send)

    def _tell(self, error: Exception) -> None:
        span = trace.get_current_span()
        span.record_exception(error)
        logger.exception("unexpected", extra={"exception": type(error).__name__})
        if self.report:
            context = span.get_span_context()
            sentry.report(error, trace.format_trace_id(context.trace_id) if context.is_valid else None)
