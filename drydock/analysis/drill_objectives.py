"""What a shutdown drill promises."""

from dataclasses import dataclass

from drydock.requests.outcome import Outcome


@dataclass(frozen=True)
class DrillObjectives:
    """The objectives of a drill.

    `lost` is the most requests that may be lost. `allowed` are outcomes that its hypothesis expects from the action on:
    they are not counted as lost. `restarts` is the most restarts of containers; `recovery_seconds` the longest time
    from the action's end to the last request that was not answered well; `kills`: a process may end by SIGKILL.
    """

    lost: int = 0
    allowed: frozenset[Outcome] = frozenset()
    restarts: int = 0
    recovery_seconds: float | None = None
    kills: bool = False
