"""Repeat short spikes that end before new pods start: the running pods must handle or shed the load.

users          number of users between spikes (5)
spike_users    number of users in a spike (60)
spike_seconds  duration of a spike in seconds (10)
every          seconds from one spike to the next (40)
seconds        total duration in seconds (120)
mix            kinds of users by weight (browse=6,order=3,receipt=1)
"""

from loadtest.parameters import Parameters
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

parameters = Parameters(__doc__)


class Spike(Shape):
    """A constant level with a spike at the end of each period."""

    def __init__(self) -> None:
        super().__init__(*mix(parameters.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        if seconds >= parameters.number("seconds"):
            return None
        calm = parameters.number("every") - parameters.number("spike_seconds")
        return parameters.count("users" if seconds % parameters.number("every") < calm else "spike_users")
