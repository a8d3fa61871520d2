"""The objectives of a shutdown drill."""

from dataclasses import dataclass

from drydock.requests.outcome import Outcome


@dataclass(frozen=True)
class DrillObjectives:
    """The limits that the verdict checks.

    At most `lost` requests may be lost. From the action on, requests with an outcome in `allowed` do not count as lost.
    At most `restarts` containers may restart. The last loss comes at most `recovery_seconds` after the end of the
    action. With `kills`, a process may end by SIGKILL.
    """

    lost: int = 0
    allowed: frozenset[Outcome] = frozenset()
    restarts: int = 0
    recovery_seconds: float | None = None
    kills: bool = False
