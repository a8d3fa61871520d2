"""The verdict of a run: its checks with expected and observed values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from drydock.core.errors import FailedError, InconclusiveError

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
        """The result of all checks."""
        return result_of(self.checks)

    @property
    def failed(self) -> list[Check]:
        """The checks that failed."""
        return _with(Result.FAILED, self.checks)

    @property
    def unknown(self) -> list[Check]:
        """The checks whose evidence was not observed."""
        return _with(Result.UNKNOWN, self.checks)

    def require(self, remedy: str) -> None:
        """Raises FailedError if a check failed, otherwise InconclusiveError if one is unknown."""
        if self.result is Result.FAILED:
            raise FailedError(self.summary, remedy)
        if self.result is Result.UNKNOWN:
            raise InconclusiveError(self.summary, remedy)

    def as_json(self) -> dict[str, Any]:
        """The content of verdict.json."""
        return {**asdict(self), "passed": self.passed, "result": self.result}


def result_of(checks: Sequence[Check]) -> Result:
    """Failed if a check failed, otherwise unknown if one is unknown."""
    results = {check.result for check in checks}
    return next((it for it in (Result.FAILED, Result.UNKNOWN) if it in results), Result.PASSED)


def amiss(checks: Sequence[Check]) -> str:
    """The names of the failed and the unknown checks, for the end of a summary: `; failed: a, b; unknown: c`."""
    groups = ((result, _with(result, checks)) for result in (Result.FAILED, Result.UNKNOWN))
    return "".join(f"; {result}: {', '.join(it.name for it in group)}" for result, group in groups if group)


def _with(result: Result, checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if check.result is result]
