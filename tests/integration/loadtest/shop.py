"""A server that answers as the shop does as far as its users look, and misbehaves on demand."""

import asyncio
import json
from collections.abc import Callable

from tests.integration.drydock.misbehaving import Behaviour, Server, healthy

SHELF = json.dumps({"items": [{"id": 7, "stock": 1_000_000}], "next": None}).encode()
PDF = b"%PDF-1.7 not all of it is text: \xe2\xe3"


class Shop(Server):
    """Answers by path; `behave` chooses by the number of a request how it is answered, unless it asks for the shelf."""

    def __init__(self, behave: Callable[[int], Behaviour] = lambda _: healthy) -> None:
        super().__init__(lambda number: self._answer(number, behave))

    def _answer(self, number: int, behave: Callable[[int], Behaviour]) -> Behaviour:
        method, path, _ = self.requests[number].line.split(" ")
        if path.startswith("/products?"):
            return whole(SHELF)
        behaviour = behave(number)
        return whole(PDF) if behaviour is healthy and (method, path) == ("GET", "/orders/7/receipt") else behaviour


def whole(body: bytes, pod: str = "pod-a") -> Behaviour:
    """A 200 with this body."""

    def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nX-Served-By: {pod}\r\n\r\n"
        writer.write(head.encode() + body)

    return answer


def after(seconds: float, behaviour: Behaviour = healthy) -> Behaviour:
    """The same, later."""

    def answer(writer: asyncio.StreamWriter) -> None:
        asyncio.get_running_loop().call_later(seconds, behaviour, writer)

    return answer
