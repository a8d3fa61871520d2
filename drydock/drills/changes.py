"""The changes of a drill, each with its rollback. Every exit from a drill rolls them back, the latest first."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from drydock.core.console import message, step
from drydock.core.errors import FailedError
from drydock.system import signals


@dataclass
class Change:
    """A change that was applied, and its rollback."""

    description: str
    rollback: Callable[[], None]


@dataclass
class Changes:
    """The changes of one drill. The end of the block rolls them back; `keep` prints them instead."""

    keep: bool = False
    _applied: list[Change] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def apply(self, description: str, change: Callable[[], None], rollback: Callable[[], None]) -> None:
        """Applies a change. The rollback runs even if `change` fails half-way."""
        self._applied.append(Change(description, rollback))
        with step(description):
            change()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.keep:
            for change in self._applied:
                message(f"Kept: {change.description}. `drydock up --mode parity` restores it.")
            return
        with signals.deferred(_announce_rollback):
            failures = [failure for failure in map(_roll_back, reversed(self._applied)) if failure]
        if failures:
            remedy = "Restore it by hand, or run: drydock up --mode parity"
            raise FailedError(f"not rolled back: {'; '.join(failures)}", remedy) from error


def _roll_back(change: Change) -> str | None:
    """Rolls one change back. Returns the reason if that fails."""
    try:
        with step(f"roll back: {change.description}"):
            change.rollback()
    except FailedError as error:
        return f"{change.description} ({error.reason})"
    return None


def _announce_rollback() -> None:
    message("Rolling back the changes of the drill; it ends after that.")
