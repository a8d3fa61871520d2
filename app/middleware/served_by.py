"""The name of the answering pod, on every response."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ServedBy:
    """Adds `X-Served-By: <pod name>`."""

    def __init__(self, app: ASGIApp, pod_name: str) -> None:
        self.app = app
        self.pod_name = pod_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Served-By"] = self.pod_name
            await send(message)

        return await self.app(scope, receive, send_signed)
