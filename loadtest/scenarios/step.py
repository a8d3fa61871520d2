"""Step the load up and down again: observe how the autoscaler follows.

base_users     number of users before the step (5)
base_seconds   duration before the step in seconds (30)
step_users     number of users in the step (60)
step_seconds   duration of the step in seconds (90)
after_users    number of users after the step (5)
after_seconds  duration after the step in seconds (60)
mix            kinds of users by weight (browse=6,order=3,receipt=1)
"""

from loadtest.parameters import Parameters
from loadtest.shape import Shape
from loadtest.users import Browse, Order, Receipt, SlowQuery, mix  # noqa: F401 - locust finds the users here

parameters = Parameters(__doc__)


class Step(Shape):
    """Three constant levels."""

    def __init__(self) -> None:
        super().__init__(*mix(parameters.text("mix")))

    def users_at(self, seconds: float) -> int | None:
        end = 0.0
        for level in ("base", "step", "after"):
            end += parameters.number(f"{level}_seconds")
            if seconds < end:
                return parameters.count(f"{level}_users")
        return None
