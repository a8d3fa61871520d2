"""Hold a moderate load for hours: find leaks and resources that run out.

users    number of users (10)
seconds  duration in seconds (7200)
mix      kinds of users by weight (browse=6,order=3,receipt=1)
"""

from loadtest.parameters import Parameters
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

parameters = Parameters(__doc__)


class Soak(Shape):
    """A constant number of users for a long time."""

    def __init__(self) -> None:
        super().__init__(*mix(parameters.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        return parameters.count("users") if seconds < parameters.number("seconds") else None
