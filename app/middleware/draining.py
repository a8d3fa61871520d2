"""Requests in flight, and how they end while the process drains."""

import asyncio
import contextlib

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.drain import Drain
from app.observability.platform_requests import from_platform
from app.problems import problem_response


class Draining:
    """Adds `Connection: close` while draining, and answers 503 to requests that outlive the graceful timeout.

    A kept-alive connection never moves to another pod by itself. When the server closes it without notice, a request
    already on its way is lost (RFC 9112, section 9.5).
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app = app
        self.drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False

        async def send_retiring(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if self.drain.active:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        with contextlib.nullcontext() if from_platform(scope) else self.drain.request():
            try:
                return await self.app(scope, receive, send_retiring)
            except asyncio.CancelledError:
                # uvicorn cancels the requests that outlive its graceful timeout and would answer 500.
                if started or not self.drain.active:
                    raise
                response = problem_response(503, "The server shut down before this request was complete.")
                return await response(scope, receive, send_retiring)
