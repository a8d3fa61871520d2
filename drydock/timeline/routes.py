"""The pod that each of a client's connections was routed to."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

# Between a connection's first packet and the first byte of its request. The clocks of both may differ by half of it.
NEAR_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Route:
    """A connection from the client's TCP port `port` to `pod`, opened at `time` in Unix seconds.

    `refused` is whether the pod refused it. A Service hides that from a client only on the local platform.
    """

    time: float
    port: int
    pod: str
    refused: bool = False


class Routes:
    """Finds a connection's route by its port. Ports are used again, so the time counts too."""

    def __init__(self, routes: Sequence[Route] = ()) -> None:
        self._of_port: dict[int, list[Route]] = {}
        for route in sorted(routes, key=lambda it: it.time):
            self._of_port.setdefault(route.port, []).append(route)

    def near(self, port: int, opened: float) -> Route | None:
        """The route of the connection that was opened at a time; None without one within NEAR_SECONDS."""
        routes = self._of_port.get(port, [])
        place = bisect_left(routes, opened, key=lambda it: it.time)
        nearest = min(routes[max(0, place - 1) : place + 1], key=lambda it: abs(it.time - opened), default=None)
        return nearest if nearest is not None and abs(nearest.time - opened) <= NEAR_SECONDS else None
