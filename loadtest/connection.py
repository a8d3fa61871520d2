"""The lifetime of a user's connection.

A Service selects a pod only when a connection is opened. Users that kept their connections would stay with the old
pods, and new pods would stay idle. Each connection is therefore closed after some requests or seconds. The next request
opens a new one to any ready pod.
"""

import time

from geventhttpclient.client import HTTPClientPool

from drydock.requests.keep_alive import IDLE_SECONDS
from loadtest.parameters import Parameters

PARAMETERS = """
    connection_requests  requests after which a connection is closed; 1 opens a new one for each request (20)
    connection_seconds   seconds after which a connection is closed; a new pod gets its share after about this time (4)
"""


class Connection:
    """The single connection of a user, in `pool`."""

    def __init__(self, pool: HTTPClientPool) -> None:
        parameters = Parameters(PARAMETERS)
        self._requests, self._seconds = parameters.count("connection_requests"), parameters.number("connection_seconds")
        self._pool = pool
        self._opened = self._used = 0.0
        self._sent = 0

    def prepare(self) -> None:
        """Close the connection if it is too old or was idle for too long. Call it before each request."""
        now = time.monotonic()
        idle, age = now - self._used, now - self._opened
        if self._sent and (self._sent >= self._requests or age >= self._seconds or idle >= IDLE_SECONDS):
            self.close()
        if not self._sent:
            self._opened = now
        self._sent += 1

    def used(self) -> None:
        """Note the time of a response. Call it after each answered request."""
        self._used = time.monotonic()

    def close(self) -> None:
        """Close the connection, also after an error, so that no other request uses it."""
        self._pool.close()
        self._sent = 0
