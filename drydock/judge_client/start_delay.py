"""The start delays of the judge's requests, from judge.json."""

from dataclasses import dataclass
from typing import Self

from drydock.judge.ledger import LATE_SECONDS
from drydock.runs.folder import RunFolder

FILE = "judge.json"


@dataclass(frozen=True)
class StartDelay:
    """`late` of the `sent` requests started more than `late_over_ms` late; 99 % of all started within `p99_ms`."""

    late: int
    sent: int
    p99_ms: float
    late_over_ms: float = LATE_SECONDS * 1000

    @classmethod
    def read(cls, folder: RunFolder) -> Self:
        """Reads judge.json in the folder of a run. Raises CannotRunError without one."""
        account = folder.read_json(FILE)
        return cls(account["late"], account["sent"], account["start_error_p99_ms"], account["late_over_ms"])
