"""The verdict of a run: its checks with expected and observed values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

type Kind = Literal["load", "drill", "check"]

FILE = "verdict.json"


class Result(StrEnum):
    """The result of a check. `unknown`: its evidence was not observed; that never passes."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One check; `passed` is None if its evidence was not observed. `expected` and `observed` are texts with units."""

    name: str
    passed: bool | None
    expected: str
    observed: str

    @property
    def result(self) -> Result:
        """The result in a word."""
        return Result.UNKNOWN if self.passed is None else Result.PASSED if self.passed else Result.FAILED


@dataclass(frozen=True)
class Verdict:
    """The checks of a run. `figures` are its numbers by name; `warnings` limit how far they can be trusted."""

    name: str
    kind: Kind
    summary: str
    checks: Sequence[Check]
    figures: Mapping[str, float]
    warnings: Sequence[str] = ()

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return self.result is Result.PASSED

    @property
    def result(self) -> Result:
        """Failed if a check failed, otherwise unknown if one is unknown."""
        results = {check.result for check in self.checks}
        return next((it for it in (Result.FAILED, Result.UNKNOWN) if it in results), Result.PASSED)

    @property
    def failed(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if check.result is Result.FAILED]

    @property
    def unknown(self) -> list[Check]:
        """The checks whose evidence was not observed."""
        return [check for check in self.checks if check.result is Result.UNKNOWN]

    def as_json(self) -> dict[str, Any]:
        """The content of verdict.json."""
        return {**asdict(self), "passed": self.passed, "result": self.result}
