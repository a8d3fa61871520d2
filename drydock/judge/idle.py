"""The lane `idle`: uses connections as a reverse proxy does, which pauses on each for as long as it has no request.

A server that closes idle connections does so after its keep-alive timeout. A request that is sent at that moment is
lost (RFC 9112, 9.3.1). The lane learns the timeout from the server's FIN, and then ends its pauses around that time.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from statistics import median

from drydock.judge.exchange import Exchange
from drydock.requests.outcome import CROSSED, Outcome

CONNECTIONS = 8
# Their first requests are so far apart: a proxy's connections do not pause in step.
APART_SECONDS = 0.05
# A pause ends at most so long before the learned timeout, and so long after it: docs/reference/judge.md has the
# measurement.
BEFORE_SECONDS, AFTER_SECONDS = 0.001, 0.00075
# A FIN that comes earlier has another reason than a keep-alive timeout. It also bounds the rate of the lane.
LEAST_SECONDS = 0.5
# An answer after a pause that is longer by this refutes a timeout: the server had closed for another reason.
REFUTED_SECONDS = 0.05
# So many FINs are remembered.
REMEMBERED = 8
# uvloop's timers have a grain of 1 ms, so the end of a pause is awaited in turns of the event loop.
TURNS_SECONDS = 0.002


class IdleLane:
    """Decides when each connection is used again. `most` bounds a pause, in seconds, until a timeout is known.

    `send` starts a request: when it was due, and the number of the connection to go on with, 0 or less for a new one.
    """

    def __init__(self, most: float, send: Callable[[float, int], None]) -> None:
        self.raced = 0  # lost requests that crossed the FIN of an idle connection
        self._most = most
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._fins: deque[float] = deque(maxlen=REMEMBERED)
        self._pauses: dict[int, asyncio.Handle] = {}  # by the number of the connection
        self._over = False

    @property
    def timeout(self) -> float | None:
        """The idle time after which the server closes a connection, in seconds; None if it closed none."""
        return round(median(self._fins), 4) if self._fins else None

    def start(self) -> None:
        """Sends the first request of each connection."""
        now = time.monotonic()
        for number in range(CONNECTIONS):
            self._wait(now + number * APART_SECONDS, -number)  # the number of no connection

    def stop(self) -> None:
        """Sends no more."""
        self._over = True
        for pause in self._pauses.values():
            pause.cancel()
        self._pauses.clear()

    def ended(self, exchange: Exchange) -> None:
        """A request of the lane has its outcome: the pause of its connection begins."""
        if exchange.outcome is Outcome.OK:
            self._fins = deque((it for it in self._fins if it > exchange.idle - REFUTED_SECONDS), REMEMBERED)
        elif self._met_fin(exchange):
            self.raced += 1
            self._fins.append(exchange.idle)
        if not self._over:
            self._wait(time.monotonic() + self._pause(), exchange.connection)

    def closed(self, connection: int, idle: float) -> None:
        """The server has closed an idle connection: a request on a new one follows at once."""
        if idle < LEAST_SECONDS:
            return
        self._fins.append(idle)
        if (pause := self._pauses.pop(connection, None)) is not None:
            pause.cancel()
            self._send(time.monotonic(), 0)

    def _met_fin(self, exchange: Exchange) -> bool:
        """Whether a lost request crossed the FIN of an idle connection."""
        return exchange.outcome in CROSSED and any(abs(exchange.idle - fin) <= REFUTED_SECONDS for fin in self._fins)

    def _pause(self) -> float:
        """The seconds until a connection is used again."""
        if self.timeout is None:
            return self._most
        return self.timeout + random.uniform(-BEFORE_SECONDS, AFTER_SECONDS)  # noqa: S311 - not a secret

    def _wait(self, due: float, connection: int) -> None:
        """Sends when it is due."""
        left = due - time.monotonic()
        if left <= 0:
            self._pauses.pop(connection, None)
            self._send(due, connection)
        elif left > TURNS_SECONDS:
            self._pauses[connection] = self._loop.call_later(left - TURNS_SECONDS, self._wait, due, connection)
        else:
            self._pauses[connection] = self._loop.call_soon(self._wait, due, connection)
