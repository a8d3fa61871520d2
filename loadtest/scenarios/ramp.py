"""Add users steadily, then hold the maximum: find the load at which the service slows down or loses requests.

from_users    number of users at the start (1)
users         number of users at the end (50)
ramp_seconds  duration of the ramp in seconds (60)
seconds       duration at the maximum in seconds (30)
mix           kinds of users by weight (browse=6,order=3,receipt=1)
"""

from loadtest.parameters import Parameters
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

parameters = Parameters(__doc__)


class Ramp(Shape):
    """A linear ramp, then a constant level."""

    def __init__(self) -> None:
        super().__init__(*mix(parameters.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        first, last, ramp = parameters.count("from_users"), parameters.count("users"), parameters.number("ramp_seconds")
        if seconds >= ramp + parameters.number("seconds"):
            return None
        return last if seconds >= ramp else round(first + (last - first) * seconds / ramp)
