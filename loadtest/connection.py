"""How long a connection lives.

A Service chooses a pod when a connection is opened, and never again: users that kept theirs would go on with the pods
that were there when they came, and a pod that comes up would stay idle. So each connection is closed after some
requests or seconds, and the next request opens another one, which meets any pod that is ready by then.
"""

import time

from geventhttpclient.client import HTTPClientPool

from drydock.requests.keep_alive import IDLE_SECONDS
from loadtest.parameters import Parameters

PARAMETERS = """
    connection_requests  requests after which a connection is closed: 1 for a fresh one each time (20)
    connection_seconds   seconds after which it is: a new pod has its share of the load about that long after (4)
"""


class Connection:
    """The one connection of a user, of what `pool` holds."""

    def __init__(self, pool: HTTPClientPool) -> None:
        parameters = Parameters(PARAMETERS)
        self._requests, self._seconds = parameters.count("connection_requests"), parameters.number("connection_seconds")
        self._pool = pool
        self._opened = self._used = 0.0
        self._sent = 0

    def prepare(self) -> None:
        """Before a request: closes what has lived long enough, or was idle for too long."""
        now = time.monotonic()
        idle, age = now - self._used, now - self._opened
        if self._sent and (self._sent >= self._requests or age >= self._seconds or idle >= IDLE_SECONDS):
            self.close()
        if not self._sent:
            self._opened = now
        self._sent += 1

    def used(self) -> None:
        """After a request that was answered."""
        self._used = time.monotonic()

    def close(self) -> None:
        """Closes it, also after an error: whatever state it is in, no other request gets it."""
        self._pool.close()
        self._sent = 0
