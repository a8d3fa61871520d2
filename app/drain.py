"""Draining: what happens between SIGTERM and the server's own graceful stop.

uvicorn closes its listener as soon as SIGTERM arrives, while every kube-proxy still sends it new connections for a
second or two (uvicorn 0.54, server.py `shutdown`; kubernetes.io "Pod Termination Flow"). So the signal is held back:
the listener stays open for a while, readiness says no, every response retires its connection, streams end.
"""

import asyncio
import contextlib
import logging
import select
import signal
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from app.observability.requests import REQUESTS_IN_FLIGHT

# How long the listener's backlog may take to be worked off, in the worst case.
SETTLE_SECONDS = 2
TURN_SECONDS = 0.01

logger = logging.getLogger("app.lifecycle")


class Drain:
    """Holds SIGTERM back for `seconds`, then passes it to the handler that was there before.

    `graceful_seconds` bounds what follows: uvicorn by itself would wait for ever for the requests in flight.
    """

    def __init__(self, seconds: float, graceful_seconds: int) -> None:
        self.seconds = seconds
        self.graceful_seconds = graceful_seconds
        self.in_flight = 0
        self._started = asyncio.Event()
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None  # the loop itself keeps only a weak reference

    @property
    def active(self) -> bool:
        """Whether SIGTERM has arrived."""
        return self._started.is_set()

    async def check(self) -> str | None:
        """The readiness check: fails from SIGTERM on."""
        return "in progress" if self.active else None

    async def pause(self, seconds: float) -> None:
        """Sleep for `seconds`, or until draining starts: what a stream waits with between two messages."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._started.wait(), seconds)

    def install(self) -> None:
        """Take SIGTERM over from the server. Call it in the lifespan: the server has set its handlers by then."""
        previous = signal.getsignal(signal.SIGTERM)
        server = getattr(previous, "__self__", None)
        if isinstance(server, uvicorn.Server):
            self._server = server
            if server.config.timeout_graceful_shutdown is None:
                server.config.timeout_graceful_shutdown = self.graceful_seconds
        loop = asyncio.get_running_loop()

        def hand_over() -> None:
            signal.signal(signal.SIGTERM, previous)
            signal.raise_signal(signal.SIGTERM)

        def hold_back(_number: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._begin, hand_over)

        signal.signal(signal.SIGTERM, hold_back)

    def _begin(self, hand_over: Callable[[], None]) -> None:
        if not self.active:
            self._started.set()
            self._task = asyncio.create_task(self._run(hand_over))

    async def _run(self, hand_over: Callable[[], None]) -> None:
        logger.info("draining", extra={"drain_seconds": self.seconds, "in_flight": self.in_flight})
        await asyncio.sleep(self.seconds)
        logger.info("drained", extra={"in_flight": self.in_flight})
        await self._settle()
        hand_over()

    async def _settle(self) -> None:
        """Let the server accept and read what arrived until now: closing the listener resets all that waits there.

        uvloop accepts one connection a turn of its loop, so a busy process falls behind.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE_SECONDS
        while self._backlog() and loop.time() < deadline:  # noqa: ASYNC110 - the kernel sends no event for this
            await asyncio.sleep(0)
        for _ in range(3):  # accepted, read, begun
            await asyncio.sleep(TURN_SECONDS)

    def _backlog(self) -> bool:
        """Whether connections wait to be accepted: a listening socket is readable then."""
        if self._server is None:
            return False
        listeners = [listener.fileno() for server in self._server.servers for listener in server.sockets]
        return bool(select.select(listeners, [], [], 0)[0])

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Count one request of a caller as in flight."""
        self.in_flight += 1
        REQUESTS_IN_FLIGHT.set(self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1
            REQUESTS_IN_FLIGHT.set(self.in_flight)
