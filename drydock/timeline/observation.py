"""One thing that the cluster said, and when it was heard."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

type Change = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class Observation:
    """An object's state from `arrived` on: Unix seconds on this machine's wall clock, when the news came here.

    `state` is what drydock/timeline/states.py keeps of the object, with the times that the API gives (they have a grain
    of one second); of a removed object it is the last one known. `version` is its resourceVersion.
    """

    arrived: float
    kind: str
    name: str
    uid: str
    version: str
    change: Change
    state: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """A line of timeline.json."""
        return {**asdict(self), "arrived": round(self.arrived, 3)}

    @classmethod
    def parse(cls, line: dict[str, Any]) -> Self:
        """Reads such a line. Raises TypeError where a field is missing or unknown."""
        return cls(**line)


def owner(pod: Observation) -> str:
    """The Deployment of a pod: its ReplicaSet is called after it."""
    name: str = pod.state["owner"]
    return name.rpartition("-")[0]
