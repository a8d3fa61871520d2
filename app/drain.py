"""Draining: the time between SIGTERM and the server's own graceful stop.

uvicorn closes its listener as soon as SIGTERM arrives, while every kube-proxy still sends it new connections for a
second or two (uvicorn 0.54, server.py `shutdown`; kubernetes.io "Pod Termination Flow"). The drain therefore delays
the signal. Meanwhile the listener stays open, readiness fails, every response closes its connection and streams end.
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

# The longest wait for the listener's backlog to empty.
SETTLE_SECONDS = 2
TURN_SECONDS = 0.01

logger = logging.getLogger("app.lifecycle")


class Drain:
    """Delays SIGTERM by `seconds`, then passes it to the previous handler.

    `graceful_seconds` bounds uvicorn's graceful stop. By default uvicorn waits for requests in flight without limit.
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
        """Sleep for `seconds`, or until draining starts. A stream waits with it between two messages."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._started.wait(), seconds)

    def install(self) -> None:
        """Replace the server's SIGTERM handler. Call this in the lifespan, after the server has set its handlers."""
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
        """Let the server accept and read the pending connections. Closing the listener resets those in its backlog.

        uvloop accepts one connection per loop iteration, so a busy process falls behind.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE_SECONDS
        while self._backlog() and loop.time() < deadline:  # noqa: ASYNC110 - the kernel sends no event for this
            await asyncio.sleep(0)
        for _ in range(3):  # accepted, read, begun
            await asyncio.sleep(TURN_SECONDS)

    def _backlog(self) -> bool:
        """Whether connections wait to be accepted. A listening socket is then readable."""
        if self._server is None:
            return False
        listeners = [listener.fileno() for server in self._server.servers for listener in server.sockets]
        return bool(select.select(listeners, [], [], 0)[0])

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Count one client request as in flight."""
        self.in_flight += 1
        REQUESTS_IN_FLIGHT.set(self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1
            REQUESTS_IN_FLIGHT.set(self.in_flight)
