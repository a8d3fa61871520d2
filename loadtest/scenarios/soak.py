"""Moderate load for hours: what leaks, fills up or runs out.

users    how many (10)
seconds  for how long (7200)
mix      which users, by weight (browse=6,order=3,receipt=1)
"""

from loadtest.parameters import Parameters
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

parameters = Parameters(__doc__)


class Soak(Shape):
    """A number of users, for long."""

    def __init__(self) -> None:
        super().__init__(*mix(parameters.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        """The number, until the time is over."""
        return parameters.count("users") if seconds < parameters.number("seconds") else None
