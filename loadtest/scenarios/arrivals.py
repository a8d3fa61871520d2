"""Requests by the clock, whatever became of those before: as people come who do not know each other (an open model).

Users who wait for an answer before they go on send less to a service that is slow, and so measure less of its slowness
(coordinated omission). Here the time of a request runs from the moment at which it was due.

rate     requests a second, of all workers together (20)
seconds  for how long (60)
mix      which users, by weight (browse=6,order=3,receipt=1)
"""

from loadtest.clock import Clock
from loadtest.parameters import Parameters
from loadtest.shape import Shape

parameters = Parameters(__doc__)


class Arrival(Clock):
    """The clock of one worker."""

    rate = parameters.number("rate")
    mix = parameters.text("mix")


class Arrivals(Shape):
    """A clock for each worker, and then none."""

    def __init__(self) -> None:
        super().__init__(Arrival)

    def users_at(self, seconds: float) -> int | None:
        """As many clocks as workers."""
        return self.workers if seconds < parameters.number("seconds") else None
