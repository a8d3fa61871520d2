"""The clock skew between judge and timeline. They share a clock only on the same machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from drydock.core.errors import CannotRunError
from drydock.judge_client.progress_sample import ProgressSample

# Half the resolution of Kubernetes' own times, which is 1 s.
MOST_APART_SECONDS = 0.5


@dataclass
class ClockSkew:
    """The smallest age of a judge's sample on arrival, in seconds: the skew of the clocks plus the way.

    Docker Desktop runs the cluster in a virtual machine, whose clock may be off after the laptop has slept.
    """

    now: Callable[[], float] = time.time
    seconds: float = field(default=float("inf"), init=False)

    def heard(self, sample: ProgressSample) -> None:
        """Take in a sample that has just arrived."""
        self.seconds = min(self.seconds, self.now() - sample.time)

    def refuse(self) -> None:
        """Raises CannotRunError if the skew could put requests and marks in the wrong order."""
        if abs(self.seconds) > MOST_APART_SECONDS:
            reason = f"the judge's clock and this machine's are {abs(self.seconds):.1f} s apart"
            raise CannotRunError(reason, "Restart Docker: its virtual machine takes the time from this machine then.")
