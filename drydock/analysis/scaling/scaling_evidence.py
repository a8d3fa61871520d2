"""The evidence of the scaling drill: its requests, its timeline, and the start and end of the load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from drydock.core.project import Workload
from drydock.requests.records import Record
from drydock.timeline.history import History, Series, at


@dataclass(frozen=True)
class Triggers:
    """The triggers of the autoscaler: `titles` maps the name of a metric in the autoscaler to its name in the manifest.

    `rate_target` is the target of the rate trigger, in requests a second for each pod, even if the trigger is removed.
    """

    titles: Mapping[str, str]
    rate_target: float

    def title(self, metric: str) -> str:
        """Such as `cpu` or `rate`."""
        return self.titles.get(metric, metric)


@dataclass(frozen=True)
class ScalingEvidence:
    """One run of the scaling drill. Times are Unix seconds of one clock; `load_off` is None while load is on.

    `route` is the route with the latency objective: its requests hold a connection of the pool.
    """

    workload: Workload
    triggers: Triggers
    history: History
    records: Sequence[Record]
    route: str
    began: float
    step: float
    load_off: float | None = None

    @cached_property
    def desired(self) -> Series[int]:
        """The desired replicas of the autoscaler, as a series over time."""
        return self.history.desired(self.workload.deployment)

    @cached_property
    def endpoints(self) -> Series[frozenset[str]]:
        """The pods that receive new connections, as a series over time."""
        return self.history.endpoints(self.workload.service)

    @cached_property
    def existing(self) -> Series[frozenset[str]]:
        """The existing pods, including terminating ones, as a series over time."""
        return self.history.existing(self.workload.deployment)

    @property
    def minimum(self) -> int:
        """The minimum replicas of the autoscaler."""
        return self.history.minimum(self.workload.deployment)

    @property
    def off(self) -> float:
        """The end of the load; infinity while it is on."""
        return self.load_off or float("inf")

    @property
    def old_pods(self) -> frozenset[str]:
        """The pods that existed at the start of the step."""
        return at(self.existing, self.step) or frozenset()

    @property
    def wanted(self) -> int:
        """The highest number of desired replicas under load."""
        before = at(self.desired, self.step) or 0
        return max([before, *(count for time, count in self.desired if self.step < time <= self.off)])

    @property
    def metrics(self) -> dict[str, float]:
        """The last target of each metric of the autoscaler; empty if it was never observed."""
        seen = self.history.autoscaler(self.workload.deployment)
        return {name: values["target"] for name, values in seen[-1].state["metrics"].items()} if seen else {}

    def reading(self, metric: str) -> Series[float]:
        """The values of a metric in the autoscaler, as a series over time."""
        return self.history.reading(self.workload.deployment, metric)
