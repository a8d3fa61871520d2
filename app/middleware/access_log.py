"""One access log line per request, and the user ID on every log line of that request."""

import logging
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observability.logs import user_id

logger = logging.getLogger("app.access")

USER_HEADER = "x-user-id"
# Gateways set short identifiers. The limit keeps a client from writing long log lines.
LONGEST_USER = 128


class AccessLog:
    """Writes the access log line when a request ends. The gateway must overwrite any `X-User-Id` from the client."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        user = Headers(scope=scope).get(USER_HEADER)
        user_id.set(user[:LONGEST_USER] if user else None)
        began = time.perf_counter()
        status = 0  # logged when no response was started

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            return await self.app(scope, receive, send_noting)
        finally:
            logger.info(
                "request",
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "duration_ms": round((time.perf_counter() - began) * 1000, 2),
                },
            )
