"""The router of the local platform, as a process: it forwards connections and writes the route of each."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drydock.system.ports import free_port
from tests.integration.drydock.misbehaving import Server


class RunningRouter:
    """Its process, and the port on which it listens."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port

    async def route_to(self, pods: dict[str, int]) -> None:
        """Sends it the ready pods, and waits until it accepts connections."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(pods).encode() + b"\n")
        async with asyncio.timeout(10):
            while (await asyncio.to_thread(outcome, self.port))[1] is ConnectionRefusedError:
                pass
            await self.route()

    async def route(self) -> list[object]:
        """The next route that it writes."""
        assert self.process.stdout is not None
        async with asyncio.timeout(10):
            route: list[object] = json.loads(await self.process.stdout.readline())
            return route


def outcome(port: int) -> tuple[int, type[OSError] | None]:
    """Opens a connection, sends a request and reads the response: its local port, and the error that ended it."""
    with socket.socket() as client:
        client.bind(("127.0.0.1", 0))  # a failed connection would have no port any more
        client.settimeout(10)
        local: int = client.getsockname()[1]
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET / HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n")
            client.recv(100)
        except OSError as error:
            return local, type(error)
        return local, None


@asynccontextmanager
async def router() -> AsyncIterator[RunningRouter]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "drydock.local.router"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield RunningRouter(process, json.loads(await process.stdout.readline()))
    finally:
        process.kill()
        await process.wait()


async def test_each_connection_has_a_line_with_its_port_and_its_pod() -> None:
    async with Server() as server, router() as running:
        await running.route_to({"pod-a": int(server.url.rpartition(":")[2])})
        port, error = await asyncio.to_thread(outcome, running.port)

        _, *route = await running.route()

        assert (route, error) == ([port, "pod-a", False], None)


async def test_a_pod_that_refuses_is_named_and_its_client_sees_a_reset() -> None:
    async with router() as running:
        await running.route_to({"pod-b": free_port()})
        port, error = await asyncio.to_thread(outcome, running.port)

        _, *route = await running.route()

        assert (route, error) == ([port, "pod-b", True], ConnectionResetError)
