"""A recorded timeline as series: desired pods, ready pods, endpoints, and the autoscaler's metric values."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from drydock.timeline.observation import Observation, owner

FILE = "timeline.json"

type Series[T] = list[tuple[float, T]]


@dataclass(frozen=True)
class Restart:
    """A restart of a watch, with its reason."""

    arrived: float
    kind: str
    reason: str


@dataclass(frozen=True)
class History:
    """The observations in the order of their arrival. `dropped` counts those beyond the limit.

    A series has a pair (Unix seconds, value) for each change of the value.
    """

    observations: Sequence[Observation]
    restarts: Sequence[Restart] = ()
    dropped: int = 0

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a timeline.json."""
        content = json.loads(path.read_text())
        observations = tuple(Observation.parse(line) for line in content["observations"])
        return cls(observations, tuple(Restart(**line) for line in content["restarts"]), content["dropped"])

    def as_json(self) -> dict[str, Any]:
        """The content of timeline.json."""
        return {
            "clock": "Unix seconds of the machine that ran the drill, at the arrival of each observation",
            "dropped": self.dropped,
            "restarts": [asdict(restart) for restart in self.restarts],
            "observations": [seen.as_json() for seen in self.observations],
        }

    def of(self, kind: str) -> Iterator[Observation]:
        """The observations of a kind."""
        return (seen for seen in self.observations if seen.kind == kind)

    def autoscaler(self, deployment: str) -> list[Observation]:
        """The observations of a Deployment's autoscaler."""
        return [seen for seen in self.of("HorizontalPodAutoscaler") if seen.state["target"] == deployment]

    def pods(self, deployment: str) -> list[Observation]:
        """The observations of a Deployment's pods."""
        return [seen for seen in self.of("Pod") if owner(seen) == deployment]

    def lifecycle(self, pod: str) -> list[Observation]:
        """The lifecycle lines of a pod, in the order of their own timestamps."""
        return sorted((seen for seen in self.of("Log") if seen.name == pod), key=lambda seen: unix(seen.state["time"]))

    def addresses(self) -> dict[str, Series[str]]:
        """The pod of each address, as a series: an address is given to another pod when its pod is gone."""
        found: dict[str, Series[str]] = {}
        for seen in self.of("Pod"):
            if address := seen.state.get("address"):
                found.setdefault(address, []).append((seen.arrived, seen.name))
        return {address: _changes(iter(series)) for address, series in found.items()}

    def container_restarts(self, deployment: str, pod: str | None = None) -> int:
        """The container restarts of one pod, or of all pods, since each pod was first seen."""
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        for seen in self.pods(deployment):
            if pod in (None, seen.name):
                first.setdefault(seen.uid, seen.state["restarts"])
                last[seen.uid] = seen.state["restarts"]
        return sum(last[uid] - first[uid] for uid in first)

    def minimum(self, deployment: str) -> int:
        """The autoscaler's minReplicas in its last observation; 0 without an autoscaler."""
        seen = self.autoscaler(deployment)
        return int(seen[-1].state["minimum"]) if seen else 0

    def desired(self, deployment: str) -> Series[int]:
        """The autoscaler's desired number of pods."""
        return _changes((seen.arrived, seen.state["desired"]) for seen in self.autoscaler(deployment))

    def existing(self, deployment: str) -> Series[frozenset[str]]:
        """The names of a Deployment's pods, terminating ones included."""
        return self._sets(self.pods(deployment), lambda seen: frozenset({seen.name}))

    def ready(self, deployment: str) -> Series[frozenset[str]]:
        """The names of a Deployment's pods that are ready and not terminating."""

        def serving(seen: Observation) -> frozenset[str]:
            serves = seen.state["ready"] and not seen.state["deletion"]
            return frozenset({seen.name}) if serves else frozenset()

        return self._sets(self.pods(deployment), serving)

    def endpoints(self, service: str) -> Series[frozenset[str]]:
        """The names of the pods that are ready endpoints of a Service."""
        slices = [seen for seen in self.of("EndpointSlice") if seen.state["service"] == service]
        return self._sets(slices, _ready_endpoints)

    def reading(self, deployment: str, metric: str) -> Series[float]:
        """The autoscaler's values of a metric, without the times at which it had none."""
        values = [(seen.arrived, seen.state["metrics"].get(metric)) for seen in self.autoscaler(deployment)]
        return _changes((arrived, it["value"]) for arrived, it in values if it and it["value"] is not None)

    def _sets(
        self, seen_objects: Sequence[Observation], members: Callable[[Observation], frozenset[str]]
    ) -> Series[frozenset[str]]:
        """The union of `members` over all objects."""
        parts: dict[str, frozenset[str]] = {}

        def unions() -> Iterator[tuple[float, frozenset[str]]]:
            for seen in seen_objects:
                parts[seen.uid] = frozenset() if seen.change == "removed" else members(seen)
                yield seen.arrived, frozenset().union(*parts.values())

        return _changes(unions())


def at[T](series: Sequence[tuple[float, T]], time: float) -> T | None:
    """The value of a series at a time; None before its first one."""
    value = None
    for since, current in series:
        if since > time:
            break
        value = current
    return value


def unix(text: str) -> float:
    """The Unix seconds of an RFC 3339 time."""
    return datetime.fromisoformat(text).timestamp()


def _ready_endpoints(seen: Observation) -> frozenset[str]:
    return frozenset(pod for pod, conditions in seen.state["endpoints"].items() if conditions.get("ready"))


def _changes[T](series: Iterator[tuple[float, T]]) -> Series[T]:
    """The series without repeated values."""
    kept: Series[T] = []
    for time, value in series:
        if not kept or kept[-1][1] != value:
            kept.append((time, value))
    return kept
