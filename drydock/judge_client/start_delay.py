"""How exact the judge itself was: by its own account, in judge.json."""

from dataclasses import dataclass
from typing import Self

from drydock.runs.folder import RunFolder

FILE = "judge.json"


@dataclass(frozen=True)
class StartDelay:
    """`late` of the `sent` requests were started more than 20 ms after they were due; 99 % within `p99_ms` of it."""

    late: int
    sent: int
    p99_ms: float

    @classmethod
    def read(cls, folder: RunFolder) -> Self:
        """Reads it from a run's folder. Raises CannotRunError where there is none."""
        account = folder.read_json(FILE)
        return cls(account["late"], account["sent"], account["start_error_p99_ms"])
