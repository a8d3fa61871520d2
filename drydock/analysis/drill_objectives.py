"""The objectives of a shutdown drill."""

from dataclasses import dataclass

from drydock.requests.outcome import Outcome
from drydock.requests.records import Record


@dataclass(frozen=True)
class DrillObjectives:
    """The limits that the verdict checks.

    At most `lost` requests may be lost, each sent at most `loss_seconds` after the action. From the action on, requests
    with an outcome or a status in `allowed` do not count as lost. At most `restarts` containers may restart. The last
    loss comes at most `recovery_seconds` after the end of the action. With `kills`, a process may end by SIGKILL.
    """

    lost: int = 0
    allowed: frozenset[Outcome | int] = frozenset()
    loss_seconds: float | None = None
    restarts: int = 0
    recovery_seconds: float | None = None
    kills: bool = False

    def allows(self, record: Record) -> bool:
        """Whether a lost request has an allowed outcome or status."""
        return record.outcome in self.allowed or record.status in self.allowed
