"""A run's verdict: what was expected, what was seen, and whether that passes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

type Kind = Literal["load", "drill", "check"]

FILE = "verdict.json"


@dataclass(frozen=True)
class Check:
    """One expectation, and what was seen of it, in words with their units."""

    name: str
    passed: bool
    expected: str
    observed: str


@dataclass(frozen=True)
class Verdict:
    """All checks of a run. `figures` are its numbers by name; `warnings` say what to read them with."""

    name: str
    kind: Kind
    summary: str
    checks: Sequence[Check]
    figures: Mapping[str, float]
    warnings: Sequence[str] = ()

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> list[Check]:
        """The checks that did not pass."""
        return [check for check in self.checks if not check.passed]

    def as_json(self) -> dict[str, Any]:
        """The content of verdict.json."""
        return {**asdict(self), "passed": self.passed}
