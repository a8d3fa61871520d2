"""More and more users, then all of them for a while: from which load on it gets slower, or loses something.

from_users    how many at first (1)
users         how many at last (50)
ramp_seconds  seconds in between (60)
seconds       seconds that the last ones stay (30)
mix           which users, by weight (browse=6,order=3,receipt=1)
"""

from loadtest.parameters import Parameters
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

parameters = Parameters(__doc__)


class Ramp(Shape):
    """A slope, and a level."""

    def __init__(self) -> None:
        super().__init__(*mix(parameters.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        """A number that grows evenly, and then does not."""
        first, last, ramp = parameters.count("from_users"), parameters.count("users"), parameters.number("ramp_seconds")
        if seconds >= ramp + parameters.number("seconds"):
            return None
        return last if seconds >= ramp else round(first + (last - first) * seconds / ramp)
