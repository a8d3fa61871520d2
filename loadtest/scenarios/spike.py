"""A crowd that comes and goes, again and again, faster than pods can start: what is there must cope, or shed.

users          how many in between (5)
spike_users    how many in the crowd (60)
spike_seconds  how long it stays (10)
every          seconds from one to the next (40)
seconds        for how long in all (120)
mix            which users, by weight (browse=6,order=3,receipt=1)
"""

from loadtest.knobs import Knobs
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

knobs = Knobs(__doc__)


class Spike(Shape):
    """A level with short crowds, each at the end of its period."""

    def __init__(self) -> None:
        super().__init__(*mix(knobs.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        """The crowd, or those in between."""
        if seconds >= knobs.number("seconds"):
            return None
        calm = knobs.number("every") - knobs.number("spike_seconds")
        return knobs.count("users" if seconds % knobs.number("every") < calm else "spike_users")
