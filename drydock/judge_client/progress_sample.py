"""The progress sample that the judge prints each second."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from drydock.requests.outcome import Outcome


@dataclass(frozen=True)
class ProgressSample:
    """Counts since the start at `time` (Unix seconds); `rate` and `p95_ms` are of the last second.

    `late` requests were started more than the judge's LATE_SECONDS late; `in_flight` have no outcome yet.
    `raced` requests of the lane `idle` were lost because the server closed the idle connection at that moment.
    """

    time: float
    sent: int
    rate: float
    outcomes: Mapping[str, int]
    late: int
    p95_ms: float
    in_flight: int
    raced: int = 0

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Self:
        """Reads the judge's line."""
        return cls(**line)

    @property
    def lost(self) -> int:
        """The number of requests without a 2xx response, without `raced`: these are lost in a steady state too.

        If something else breaks a connection of that lane, the probe that follows is lost, or the other lanes show it.
        """
        return sum(count for outcome, count in self.outcomes.items() if outcome != Outcome.OK) - self.raced
