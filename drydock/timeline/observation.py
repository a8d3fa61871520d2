"""One observation of an object."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

type Change = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class Observation:
    """The state of an object from `arrived` on: the Unix seconds of this machine's clock when the update arrived.

    `state` is the part of the object that drydock/timeline/states.py keeps. Its times come from the API and have a
    resolution of one second. A removed object has its last known state. `version` is its resourceVersion.
    """

    arrived: float
    kind: str
    name: str
    uid: str
    version: str
    change: Change
    state: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """An entry of timeline.json."""
        return {**asdict(self), "arrived": round(self.arrived, 3)}

    @classmethod
    def parse(cls, line: dict[str, Any]) -> Self:
        """Parses an entry of timeline.json. Raises TypeError if a field is missing or unknown."""
        return cls(**line)


def owner(pod: Observation) -> str:
    """The Deployment of a pod. The name of its ReplicaSet is that of the Deployment and a hash."""
    name: str = pod.state["owner"]
    return name.rpartition("-")[0]
