"""The judge never writes on a connection that the server has closed, even if its event loop could not read that yet."""

import socket
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import pytest

from drydock.judge.exchange import Lane
from drydock.requests.outcome import Outcome
from tests.integration.drydock.misbehaving import NO_LINGER
from tests.integration.drydock.test_judge_outcomes import client
from tests.uvloop_policy import ON_UVLOOP, event_loop_policy  # noqa: F401 - a fixture

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

pytestmark = ON_UVLOOP


class ThreadedServer:
    """Answers in threads of its own, so that it works while the judge's event loop stands still."""

    def __init__(self) -> None:
        self.connections: list[tuple[socket.socket, threading.Thread]] = []
        self.requests: list[int] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for connection, _ in self.connections:
            connection.close()

    def _accept(self) -> None:
        for number, connection in enumerate(self._accepted()):
            reader = threading.Thread(target=self._answer, args=(number, connection), daemon=True)
            self.connections.append((connection, reader))
            reader.start()

    def _accepted(self) -> Iterator[socket.socket]:
        while True:
            try:
                yield self._listener.accept()[0]
            except OSError:
                return

    def _answer(self, number: int, connection: socket.socket) -> None:
        while self._reads(connection):
            self.requests.append(number)
            connection.sendall(ANSWER)

    def _reads(self, connection: socket.socket) -> bool:
        try:
            return bool(connection.recv(4096))
        except OSError:
            return False


def finish(connection: socket.socket, _: threading.Thread) -> None:
    """Sends FIN."""
    connection.shutdown(socket.SHUT_WR)


def close(connection: socket.socket, _: threading.Thread) -> None:
    """Sends FIN, and answers anything that follows with RST."""
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket, reader: threading.Thread) -> None:
    """Sends RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    connection.shutdown(socket.SHUT_RD)
    reader.join()  # while it reads, the socket stays open
    connection.close()


@pytest.mark.parametrize("end", [finish, close, reset])
@pytest.mark.parametrize("lane", [Lane.KEPT, Lane.IDLE])
async def test_a_connection_that_ended_while_the_event_loop_was_blocked_is_not_written_on(
    lane: Lane, end: Callable[[socket.socket, threading.Thread], None]
) -> None:
    with ThreadedServer() as server:
        async with client(server.url) as opened:
            first = await opened.send(lane)
            ended = threading.Thread(target=end, args=server.connections[0])
            ended.start()
            ended.join()  # blocks the event loop: until the next `await` it cannot read what the server did
            second = await opened.send(lane, connection=first.connection)

    assert (first.outcome, second.outcome) == (Outcome.OK, Outcome.OK), second.reason
    assert (second.connection, second.position) == (first.connection + 1, 0)
    assert server.requests == [0, 1], "each connection served one request"


@pytest.mark.parametrize("lane", [Lane.KEPT, Lane.IDLE])
async def test_a_connection_that_is_open_after_such_a_stall_is_used_again(lane: Lane) -> None:
    with ThreadedServer() as server:
        async with client(server.url) as opened:
            first = await opened.send(lane)
            stalled = threading.Thread(target=lambda: None)
            stalled.start()
            stalled.join()
            second = await opened.send(lane, connection=first.connection)

    assert (second.outcome, second.connection, second.position) == (Outcome.OK, first.connection, 1)
    assert server.requests == [0, 0]
