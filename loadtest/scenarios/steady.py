"""Hold a constant number of users: measure the steady state.

users    number of users (20)
seconds  duration in seconds (60)
mix      kinds of users by weight (browse=6,order=3,receipt=1)
"""

from loadtest.parameters import Parameters
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

parameters = Parameters(__doc__)


class Steady(Shape):
    """A constant number of users."""

    def __init__(self) -> None:
        super().__init__(*mix(parameters.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        return parameters.count("users") if seconds < parameters.number("seconds") else None
