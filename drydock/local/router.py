"""A Service on this machine: a process of its own that passes connections on to the pods that are ready.

`python -m drydock.local.router` reads on its standard input, line by line, the ports of the ready pods as a JSON list,
and says on its standard output, once, the port that it listens on. As kube-proxy does, it picks a pod at random for
each connection, leaves connections that there are where they are, and refuses where no pod is ready. A pod that refuses
is told to the client as a reset: the connection to the router itself had come about.
"""

import asyncio
import json
import random
import socket
import struct
import sys
from typing import cast

import uvloop

from drydock.system.ports import LOOPBACK

# Closing with this option set sends RST instead of FIN (socket(7)).
NO_LINGER = struct.pack("ii", 1, 0)
BACKLOG = 1024


class Side(asyncio.Protocol):
    """One side of a connection. Passes received bytes and the end of the connection to the other side."""

    def __init__(self, other: "Side | None" = None) -> None:
        self.other = other
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
        self._pods: list[int] = []
        self._port = 0
        self._server: asyncio.Server | None = None
        self._opening: set[asyncio.Task[None]] = set()

    async def route(self, pods: list[int]) -> None:
        """From now on connections go to these ports of this machine; without any they are refused."""
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
        client, pod = Side(), Side()
        client.other, pod.other = pod, client
        task = asyncio.get_running_loop().create_task(self._open(client, pod))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return client

    async def _open(self, client: Side, pod: Side) -> None:
        if not self._pods:
            client.end(broken=True)
            return
        try:
            await asyncio.get_running_loop().create_connection(lambda: pod, LOOPBACK, random.choice(self._pods))  # noqa: S311
        except OSError:
            client.end(broken=True)


async def serve() -> None:
    """Routes until its input ends."""
    router = Router()
    port = await router.listen()
    await router.route([])
    print(port, flush=True)  # noqa: T201 - what its parent reads
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        await router.route(json.loads(line))


if __name__ == "__main__":
    uvloop.run(serve())
