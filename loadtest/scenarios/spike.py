"""A crowd that comes and goes, again and again, faster than pods can start: what is there must cope, or shed.

users          how many in between (5)
spike_users    how many in the crowd (60)
spike_seconds  how long it stays (10)
every          seconds from one to the next (40)
seconds        for how long in all (120)
mix            which users, by weight (browse=6,order=3,receipt=1)
"""

from loadtest.parameters import Parameters
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

parameters = Parameters(__doc__)


class Spike(Shape):
    """A level with short crowds, each at the end of its period."""

    def __init__(self) -> None:
        super().__init__(*mix(parameters.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        """The crowd, or those in between."""
        if seconds >= parameters.number("seconds"):
            return None
        calm = parameters.number("every") - parameters.number("spike_seconds")
        return parameters.count("users" if seconds % parameters.number("every") < calm else "spike_users")
