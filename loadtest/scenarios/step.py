"""Few users, many at once, few again: how an autoscaler follows, up and down.

base_users     how many at first (5)
base_seconds   for how long (30)
step_users     how many at once (60)
step_seconds   for how long (90)
after_users    how many after that (5)
after_seconds  for how long (60)
mix            which users, by weight (browse=6,order=3,receipt=1)
"""

from loadtest.parameters import Parameters
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

parameters = Parameters(__doc__)


class Step(Shape):
    """Three levels."""

    def __init__(self) -> None:
        super().__init__(*mix(parameters.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        """The level of this moment."""
        end = 0.0
        for level in ("base", "step", "after"):
            end += parameters.number(f"{level}_seconds")
            if seconds < end:
                return parameters.count(f"{level}_users")
        return None
