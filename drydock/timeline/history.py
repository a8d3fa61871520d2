"""What a recorded timeline says: how many pods were wanted, which were ready, what the autoscaler read, and when."""

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
    """A watch that had to start again, and why."""

    arrived: float
    kind: str
    reason: str


@dataclass(frozen=True)
class History:
    """The observations in the order of their arrival; `dropped` came when there was no room left."""

    observations: Sequence[Observation]
    restarts: Sequence[Restart] = ()
    dropped: int = 0

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads timeline.json."""
        content = json.loads(path.read_text())
        observations = tuple(Observation.parse(line) for line in content["observations"])
        return cls(observations, tuple(Restart(**line) for line in content["restarts"]), content["dropped"])

    def as_json(self) -> dict[str, Any]:
        """The content of timeline.json."""
        return {
            "clock": "Unix seconds of the machine that ran the drill, at the arrival of each piece of news",
            "dropped": self.dropped,
            "restarts": [asdict(restart) for restart in self.restarts],
            "observations": [seen.as_json() for seen in self.observations],
        }

    def of(self, kind: str) -> Iterator[Observation]:
        """All that was seen of a kind."""
        return (seen for seen in self.observations if seen.kind == kind)

    def autoscaler(self, deployment: str) -> list[Observation]:
        """All that was seen of the autoscaler of a Deployment."""
        return [seen for seen in self.of("HorizontalPodAutoscaler") if seen.state["target"] == deployment]

    def pods(self, deployment: str) -> list[Observation]:
        """All that was seen of the pods of a Deployment."""
        return [seen for seen in self.of("Pod") if owner(seen) == deployment]

    def lifecycle(self, pod: str) -> list[Observation]:
        """The lifecycle lines of a pod, by their own time."""
        return sorted((seen for seen in self.of("Log") if seen.name == pod), key=lambda seen: unix(seen.state["time"]))

    def container_restarts(self, deployment: str, pod: str | None = None) -> int:
        """How often containers were started again since each pod was first seen: of one pod, or of all."""
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        for seen in self.pods(deployment):
            if pod in (None, seen.name):
                first.setdefault(seen.uid, seen.state["restarts"])
                last[seen.uid] = seen.state["restarts"]
        return sum(last[uid] - first[uid] for uid in first)

    def minimum(self, deployment: str) -> int:
        """How many pods the autoscaler wants at the least, as it was last seen; 0 where there is none."""
        seen = self.autoscaler(deployment)
        return int(seen[-1].state["minimum"]) if seen else 0

    def desired(self, deployment: str) -> Series[int]:
        """How many pods the autoscaler wants, from when on."""
        return _changes((seen.arrived, seen.state["desired"]) for seen in self.autoscaler(deployment))

    def existing(self, deployment: str) -> Series[frozenset[str]]:
        """The pods of a Deployment that are not gone, those that are ending included, from when on."""
        return self._sets(self.pods(deployment), lambda seen: frozenset({seen.name}))

    def ready(self, deployment: str) -> Series[frozenset[str]]:
        """The pods of a Deployment that are ready and not ending, from when on."""

        def serving(seen: Observation) -> frozenset[str]:
            fit = seen.state["ready"] and not seen.state["deletion"]
            return frozenset({seen.name}) if fit else frozenset()

        return self._sets(self.pods(deployment), serving)

    def endpoints(self, service: str) -> Series[frozenset[str]]:
        """The pods that the Service sends new connections to, from when on."""
        slices = [seen for seen in self.of("EndpointSlice") if seen.state["service"] == service]
        return self._sets(slices, _ready_endpoints)

    def reading(self, deployment: str, metric: str) -> Series[float]:
        """What the autoscaler read of a metric, from when on; without the times when it read nothing."""
        said = [(seen.arrived, seen.state["metrics"].get(metric)) for seen in self.autoscaler(deployment)]
        return _changes((arrived, it["value"]) for arrived, it in said if it and it["value"] is not None)

    def _sets(
        self, seen_objects: Sequence[Observation], members: Callable[[Observation], frozenset[str]]
    ) -> Series[frozenset[str]]:
        """The union over all objects of what `members` says of each, from when on."""
        parts: dict[str, frozenset[str]] = {}

        def unions() -> Iterator[tuple[float, frozenset[str]]]:
            for seen in seen_objects:
                parts[seen.uid] = frozenset() if seen.change == "removed" else members(seen)
                yield seen.arrived, frozenset().union(*parts.values())

        return _changes(unions())


def at[T](series: Sequence[tuple[float, T]], time: float) -> T | None:
    """The value of a series at a time, or None before its first."""
    value = None
    for since, current in series:
        if since > time:
            break
        value = current
    return value


def unix(text: str) -> float:
    """An RFC 3339 time as Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


def _ready_endpoints(seen: Observation) -> frozenset[str]:
    return frozenset(pod for pod, conditions in seen.state["endpoints"].items() if conditions.get("ready"))


def _changes[T](series: Iterator[tuple[float, T]]) -> Series[T]:
    """The series without what repeats the value before it."""
    kept: Series[T] = []
    for time, value in series:
        if not kept or kept[-1][1] != value:
            kept.append((time, value))
    return kept
