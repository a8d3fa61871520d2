"""The same users all the time: what the service does when nothing changes.

users    how many (20)
seconds  for how long (60)
mix      which users, by weight (browse=6,order=3,receipt=1)
"""

from loadtest.parameters import Parameters
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

parameters = Parameters(__doc__)


class Steady(Shape):
    """A number of users, and then none."""

    def __init__(self) -> None:
        super().__init__(*mix(parameters.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        """The number, until the time is over."""
        return parameters.count("users") if seconds < parameters.number("seconds") else None
