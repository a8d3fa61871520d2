"""A Service on this machine: a process that forwards connections to the pods that are ready.

`python -m drydock.local.router` reads lines from its standard input: the ready pods as a JSON object of names and
ports. As kube-proxy does, it chooses a pod at random for each connection, keeps existing connections, and refuses
connections when no pod is ready. If the pod refuses, the client sees a reset, because the router had accepted.

The first line of its standard output is the port on which it listens. Then it writes the route of each connection: a
JSON list of Unix seconds, the client's port, the pod, and whether the pod refused.
"""

import asyncio
import json
import random
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import cast

import uvloop

from drydock.system.ports import LOOPBACK

# Closing with this option set sends RST instead of FIN (socket(7)).
NO_LINGER = struct.pack("ii", 1, 0)
BACKLOG = 1024


class Side(asyncio.Protocol):
    """One side of a connection. Passes received bytes and the end of the connection to the other side."""

    def __init__(self, on_connected: Callable[[], object] = lambda: None) -> None:
        self.other: Side | None = None
        self._on_connected = on_connected
        self.transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the bytes that were waiting for this side."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass
        for data in self._waiting:
            self.transport.write(data)
        if self._over:
            self.transport.write_eof()
        self._on_connected()

    @property
    def port(self) -> int:
        """The port of the other end. Raises AttributeError before the connection is made."""
        port: int = cast(asyncio.Transport, self.transport).get_extra_info("peername")[1]
        return port

    def data_received(self, data: bytes) -> None:
        """Passes it on."""
        if self.other is not None:
            self.other.send(data)

    def eof_received(self) -> bool:
        """Passes FIN on; this side may still be written to."""
        if self.other is not None:
            self.other.send_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """RST becomes RST, a close becomes a close."""
        if self.other is not None:
            self.other.end(broken=error is not None)

    def send(self, data: bytes) -> None:
        """Writes, now or when it is connected."""
        if self.transport is None:
            self._waiting.append(data)
        else:
            self.transport.write(data)

    def send_eof(self) -> None:
        """Sends FIN."""
        self._over = True
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write_eof()

    def end(self, *, broken: bool) -> None:
        """Ends it as the other side ended."""
        if self.transport is None:
            return
        if broken:
            cast(socket.socket, self.transport.get_extra_info("socket")).setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER
            )
            self.transport.abort()
        else:
            self.transport.close()


class Router:
    """Listens while a pod is ready."""

    def __init__(self) -> None:
        self._pods: dict[str, int] = {}
        self._port = 0
        self._server: asyncio.Server | None = None
        self._opening: set[asyncio.Task[None]] = set()

    async def route(self, pods: dict[str, int]) -> None:
        """Forwards new connections to these pods, by name and port. Without any, refuses them."""
        self._pods = pods
        if pods and self._server is None:
            await self.listen()
        elif not pods and self._server is not None:
            self._server.close()
            self._server = None

    async def listen(self) -> int:
        """Opens the listener; returns its port, which stays the same."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, LOOPBACK, self._port, backlog=BACKLOG, reuse_address=True)
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    def _accept(self) -> Side:
        pod = Side()
        client = Side(on_connected=lambda: self._begin(client, pod))
        client.other, pod.other = pod, client
        return client

    def _begin(self, client: Side, pod: Side) -> None:
        task = asyncio.get_running_loop().create_task(self._open(client, pod))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, client: Side, pod: Side) -> None:
        if not self._pods:
            client.end(broken=True)
            return
        opened, port = time.time(), client.port
        name = random.choice(list(self._pods))  # noqa: S311
        try:
            await asyncio.get_running_loop().create_connection(lambda: pod, LOOPBACK, self._pods[name])
        except OSError:
            client.end(broken=True)
            write([opened, port, name, True])
        else:
            write([opened, port, name, False])


def write(value: object) -> None:
    """Writes a line that the parent reads."""
    print(json.dumps(value), flush=True)  # noqa: T201


async def serve() -> None:
    """Routes until its input ends."""
    router = Router()
    port = await router.listen()
    await router.route({})
    write(port)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        await router.route(json.loads(line))


if __name__ == "__main__":
    uvloop.run(serve())
