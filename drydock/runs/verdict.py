"""The verdict of a run: its checks with expected and observed values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

type Kind = Literal["load", "drill", "check"]

FILE = "verdict.json"


@dataclass(frozen=True)
class Check:
    """One check. `expected` and `observed` are texts with units."""

    name: str
    passed: bool
    expected: str
    observed: str


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
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> list[Check]:
        """The checks that did not pass."""
        return [check for check in self.checks if not check.passed]

    def as_json(self) -> dict[str, Any]:
        """The content of verdict.json."""
        return {**asdict(self), "passed": self.passed}
