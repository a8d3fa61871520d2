"""Assigns each request a connection of its lane, and enforces deadlines."""

import asyncio
import errno
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

from drydock.core.errors import CannotRunError
from drydock.judge.connection import Connection
from drydock.judge.exchange import Exchange, Lane
from drydock.requests.keep_alive import IDLE_SECONDS
from drydock.requests.outcome import OUR_OWN, ExhaustedError, Outcome

SWEEP_SECONDS = 0.1


class Sender:
    """Sends exchanges to one address; `on_end` is called exactly once for each."""

    def __init__(
        self,
        address: tuple[str, int],
        kept: int,
        on_end: Callable[[Exchange], None],
        served_by_header: str | None = None,
    ) -> None:
        self.exhausted: OSError | None = None
        self._loop = asyncio.get_running_loop()
        self._address = address
        self._kept = kept
        self._on_end = on_end
        self._served_by = (served_by_header or "").lower().encode()
        self._connections = 0
        self._idle: deque[Connection] = deque()
        self._alive: set[Connection] = set()  # of the kept lane
        self._paused: dict[int, Connection] = {}  # of the idle lane, by number
        self.on_idle_closed: Callable[[int, float], None] = lambda _number, _seconds: None
        self._under_way: dict[int, tuple[Exchange, Connection | None]] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    @property
    def in_flight(self) -> int:
        """The number of requests without an outcome."""
        return len(self._under_way)

    def send(self, exchange: Exchange, over: float = 0.0) -> None:
        """Starts a request: on a free connection of its lane, otherwise on a new one.

        A request of the idle lane has the number of the connection to go on with.
        """
        connection = self._take() if exchange.lane is Lane.KEPT else self._resume(exchange)
        if connection is not None:
            self._under_way[id(exchange)] = (exchange, connection)
            connection.send(exchange)
            return
        self._under_way[id(exchange)] = (exchange, None)
        task = self._loop.create_task(self._open(exchange, over))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def close(self) -> None:
        """Closes the idle connections."""
        self._sweeper.cancel()
        paused, self._paused = self._paused, {}
        for connection in (*self._alive, *paused.values()):
            connection.close()
        for task in tuple(self._connecting):
            task.cancel()

    def _take(self) -> Connection | None:
        """A kept connection for the next request: the one that was idle longest, once there are enough of them."""
        if len(self._alive) < self._kept:
            return None
        now = time.monotonic()
        while self._idle:
            connection = self._idle.popleft()
            if now - connection.idle_since < IDLE_SECONDS and not connection.ended_by_server:
                return connection
            self._drop(connection)
        return None

    def _resume(self, exchange: Exchange) -> Connection | None:
        """The connection that a request of the idle lane goes on with; None once the server has closed it."""
        if (connection := self._paused.pop(exchange.connection, None)) is None:
            return None
        idle = time.monotonic() - connection.idle_since
        if connection.ended_by_server:
            self.on_idle_closed(connection.number, idle)
            connection.close()
            return None
        exchange.idle = idle
        return connection

    async def _open(self, exchange: Exchange, over: float) -> None:
        self._connections += 1
        number = exchange.connection = self._connections
        connection = Connection(number, self._ended, self._gone, self._served_by)
        if exchange.lane is Lane.KEPT:
            self._alive.add(connection)
        try:
            opened = await self._connected(exchange)
            await self._loop.create_connection(lambda: connection, sock=opened)
        except OSError as error:
            self._alive.discard(connection)
            if error.errno in OUR_OWN:
                self.exhausted = self.exhausted or error
            self._finish(
                exchange, Outcome.TIMED_OUT if isinstance(error, TimeoutError) else Outcome.REFUSED, str(error)
            )
            return
        if id(exchange) not in self._under_way:  # it was given up meanwhile
            connection.close()
            return
        self._under_way[id(exchange)] = (exchange, connection)
        connection.port = exchange.port
        connection.send(exchange, over)

    async def _connected(self, exchange: Exchange) -> socket.socket:
        """A connected socket. Sets the exchange's port, also if the connection is refused: then the kernel forgets it.

        Raises:
            OSError: it could not connect.
        """
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)
            error = opened.connect_ex(self._address)
            exchange.port = opened.getsockname()[1]
            if error == errno.EINPROGRESS:
                await self._writable(opened)
                error = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, os.strerror(error))
        except BaseException:
            opened.close()
            raise
        return opened

    async def _writable(self, opened: socket.socket) -> None:
        """Waits until the connection is established or refused."""
        writable = asyncio.Event()
        self._loop.add_writer(opened, writable.set)
        try:
            await writable.wait()
        finally:
            self._loop.remove_writer(opened)

    def _ended(self, connection: Connection, exchange: Exchange) -> None:
        self._under_way.pop(id(exchange), None)
        if exchange.lane is Lane.KEPT and connection.reusable:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        elif exchange.lane is Lane.IDLE and connection.reusable:
            connection.idle_since = time.monotonic()
            self._paused[connection.number] = connection
        else:
            self._drop(connection)
        self._on_end(exchange)

    def _gone(self, connection: Connection) -> None:
        self._alive.discard(connection)
        connection.reusable = False
        if connection in self._idle:
            self._idle.remove(connection)
        if self._paused.pop(connection.number, None) is not None:
            self.on_idle_closed(connection.number, time.monotonic() - connection.idle_since)

    def _drop(self, connection: Connection) -> None:
        self._alive.discard(connection)
        connection.close()

    def _finish(self, exchange: Exchange, outcome: Outcome, reason: str) -> None:
        if self._under_way.pop(id(exchange), None) is not None:
            exchange.outcome, exchange.reason = outcome, reason
            self._on_end(exchange)

    def _sweep(self) -> None:
        """Times out late requests, and closes connections that were idle for too long."""
        now = time.monotonic()
        for exchange, connection in [it for it in self._under_way.values() if it[0].deadline <= now]:
            if connection is not None:
                connection.time_out()
            self._finish(exchange, Outcome.TIMED_OUT, "no connection in time")
        while self._idle and now - self._idle[0].idle_since >= IDLE_SECONDS:
            self._drop(self._idle.popleft())
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)


async def resolve(url: str) -> tuple[str, int]:
    """The address of a URL, asked for once: a lookup for each connection would measure the cluster's DNS.

    Raises:
        CannotRunError: the name is not known.
    """
    parts = urlsplit(url)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            parts.hostname, parts.port or 80, type=socket.SOCK_STREAM, family=socket.AF_INET
        )
    except OSError as error:
        raise CannotRunError(
            f"{parts.hostname} has no address: {error}", "Is the service deployed? drydock status"
        ) from error
    host, port = found[0][4][:2]
    return str(host), int(port)


def refuse_exhausted(sender: Sender) -> None:
    """Raises ExhaustedError where this machine, and not the service, stood in a request's way."""
    if sender.exhausted is not None:
        raise ExhaustedError(str(sender.exhausted))
