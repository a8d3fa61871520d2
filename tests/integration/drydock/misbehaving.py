"""A server that answers as the shop does, and misbehaves on demand in each way that a request can be lost."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple, Self

type Behaviour = Callable[[asyncio.StreamWriter], object]

BODY = json.dumps({"id": 7}).encode()
# A server with a keep-alive timeout reads nothing in this time before it closes: real ones do so for less than 1 ms.
DEAF_SECONDS = 0.05
# Closing with this option set sends RST instead of FIN.
NO_LINGER = struct.pack("ii", 1, 0)


class Request(NamedTuple):
    """A request as it arrived; `headers` by lower-case name."""

    line: str
    headers: dict[str, str]


class Server:
    """Use it as an async context manager. `behave` chooses by the number of the request, from 0, how it is answered.

    It closes a connection that is idle for `keep_alive` seconds, and no longer reads just before.
    """

    def __init__(self, behave: Callable[[int], Behaviour] = lambda _: healthy, keep_alive: float | None = None) -> None:
        self._keep_alive = keep_alive
        self.requests: list[Request] = []
        self.connections = 0
        self._behave = behave
        self._writers: list[asyncio.StreamWriter] = []
        self._arrived = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_listening()

    async def stop_listening(self) -> None:
        """From now on every connection is refused; those that there are end in good order."""
        self._server.close()
        self.close_connections()
        await self._server.wait_closed()

    async def has_met(self, count: int) -> None:
        """Waits until so many requests have arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)

    def close_connections(self) -> None:
        """Ends every connection that there is, in good order."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while not writer.is_closing():
                async with asyncio.timeout(self._keep_alive):
                    head = await reader.readuntil(b"\r\n\r\n")
                line, *lines = head.decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (text.partition(": ") for text in lines if text)}
                await reader.readexactly(int(headers.get("content-length", "0")))
                async with self._arrived:
                    self.requests.append(Request(line, headers))
                    self._arrived.notify_all()
                self._behave(len(self.requests) - 1)(writer)
                await writer.drain()
        except TimeoutError:
            await asyncio.sleep(DEAF_SECONDS)
            writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def answering(status: str) -> Behaviour:
    """A whole response of this status."""

    def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(BODY)}\r\nX-Served-By: pod-a\r\n\r\n"
        writer.write(head.encode() + BODY)

    return answer


healthy: Behaviour = answering("200 OK")


def saying(text: bytes, then: Behaviour = asyncio.StreamWriter.close) -> Behaviour:
    """Just these bytes, and then an end."""

    def message(writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        then(writer)

    return message


def closing(writer: asyncio.StreamWriter) -> None:
    """Closes the connection in good order, without a word."""
    writer.close()


def resetting(writer: asyncio.StreamWriter) -> None:
    """Breaks the connection."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    writer.close()


def silent(_: asyncio.StreamWriter) -> None:
    """Keeps the connection and never answers."""
