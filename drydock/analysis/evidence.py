"""The evidence of a shutdown drill: its timeline and its requests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from drydock.core.project import Workload
from drydock.requests.records import Record
from drydock.system.cpu_pressure import CpuPressure
from drydock.timeline.history import History, Series
from drydock.timeline.routes import Route


@dataclass(frozen=True)
class Evidence:
    """One run: the timeline and every request. Times are Unix seconds, of clocks at most `clock_skew` seconds apart.

    `started` is the time of the first request. The action ends at `action_ended`, when its command has returned or the
    database is up again. `recovered_at` is None if no recovery was observed. `ended` is the time of the last answer.
    `routes` has the pod that each connection was routed to, where that was observed.
    `pressure` is that of the machine on which the drill runs.
    """

    workload: Workload
    history: History
    records: Sequence[Record]
    started: float
    action_started: float
    action_ended: float
    recovered_at: float | None
    ended: float
    routes: Sequence[Route] = ()
    clock_skew: float = 0.0
    pressure: CpuPressure = field(default_factory=CpuPressure)

    @cached_property
    def endpoints(self) -> Series[frozenset[str]]:
        """The pods that receive new connections, as a series over time."""
        return self.history.endpoints(self.workload.service)

    @cached_property
    def restarts(self) -> int:
        """The number of container restarts of the service."""
        return self.history.container_restarts(self.workload.deployment)
