"""What a scaling drill is judged by: the requests, the timeline, and when the load came and went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from drydock.core.project import Workload
from drydock.requests.records import Record
from drydock.timeline.history import History, Series, at


@dataclass(frozen=True)
class Triggers:
    """What the autoscaler scales by: the target of each metric by its name in the autoscaler, and what people call it.

    `rate_target` is the trigger's requests a second for each pod, whether it is in use or not.
    """

    titles: Mapping[str, str]
    rate_target: float

    def title(self, metric: str) -> str:
        """`cpu`, `rate`."""
        return self.titles.get(metric, metric)


@dataclass(frozen=True)
class ScalingEvidence:
    """One run of the scaling drill. Times are Unix seconds of one machine's clock; `load_off` is None while load is on.

    `route` is that of the requests that hold a connection of the pool: their latency has an objective.
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
        """How many pods the autoscaler wanted, from when on."""
        return self.history.desired(self.workload.deployment)

    @cached_property
    def endpoints(self) -> Series[frozenset[str]]:
        """The pods that the Service sent new connections to, from when on."""
        return self.history.endpoints(self.workload.service)

    @cached_property
    def existing(self) -> Series[frozenset[str]]:
        """The pods that were there, those that were ending included, from when on."""
        return self.history.existing(self.workload.deployment)

    @property
    def minimum(self) -> int:
        """How many pods the autoscaler always wants."""
        return self.history.minimum(self.workload.deployment)

    @property
    def off(self) -> float:
        """When the load was off; while it is on, the end of time."""
        return self.load_off or float("inf")

    @property
    def old_pods(self) -> frozenset[str]:
        """The pods that were there when the step began."""
        return at(self.existing, self.step) or frozenset()

    @property
    def wanted(self) -> int:
        """The most pods that the autoscaler wanted while load was on."""
        before = at(self.desired, self.step) or 0
        return max([before, *(count for time, count in self.desired if self.step < time <= self.off)])

    @property
    def metrics(self) -> dict[str, float]:
        """The target of each metric that the autoscaler had last."""
        metrics = self.history.autoscaler(self.workload.deployment)[-1].state["metrics"]
        return {name: values["target"] for name, values in metrics.items()}

    def reading(self, metric: str) -> Series[float]:
        """What the autoscaler read of a metric, from when on."""
        return self.history.reading(self.workload.deployment, metric)
