"""What a shutdown drill is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from drydock.core.project import Workload
from drydock.requests.records import Record
from drydock.timeline.history import History, Series


@dataclass(frozen=True)
class Evidence:
    """One run: the timeline and every request. Times are Unix seconds, of clocks that are `clocks_apart` at the most.

    `began` is the first request, `acted` when the action began, `over` when it was over (the database was back, the
    command had returned), `recovered` when the service was as before (None: it was not seen to be), `ended` the last
    answer.
    """

    workload: Workload
    history: History
    records: Sequence[Record]
    started: float
    action_started: float
    action_ended: float
    recovered_at: float | None
    ended: float
    clock_skew: float = 0.0

    @cached_property
    def endpoints(self) -> Series[frozenset[str]]:
        """The pods that the Service sent new connections to, from when on."""
        return self.history.endpoints(self.workload.service)

    @cached_property
    def restarts(self) -> int:
        """How often containers of the service were started again."""
        return self.history.container_restarts(self.workload.deployment)
