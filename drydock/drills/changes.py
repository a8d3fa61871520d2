"""What a drill changes, it puts back: in every case, in reverse order, and it says so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from drydock.core.console import message, step
from drydock.core.errors import FailedError
from drydock.system import signals


@dataclass
class Change:
    """What was changed, in words, and how to put it back."""

    description: str
    rollback: Callable[[], None]


@dataclass
class Changes:
    """The changes of one drill, put back at the end of the block. With `keep` they stay, which is said."""

    keep: bool = False
    _applied: list[Change] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def apply(self, description: str, change: Callable[[], None], rollback: Callable[[], None]) -> None:
        """Changes something. It is put back even where only half of it was done."""
        self._applied.append(Change(description, rollback))
        with step(description):
            change()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.keep:
            for change in self._applied:
                message(f"Kept: {change.description}. `drydock up --mode parity` puts it back.")
            return
        with signals.deferred(_promise_to_end):
            failures = [failure for failure in map(_roll_back, reversed(self._applied)) if failure]
        if failures:
            remedy = "Put it back by hand, or: drydock up --mode parity"
            raise FailedError(f"not put back: {'; '.join(failures)}", remedy) from error


def _roll_back(change: Change) -> str | None:
    """Puts one change back; returns what went wrong."""
    try:
        with step(f"put back: {change.description}"):
            change.rollback()
    except FailedError as error:
        return f"{change.description} ({error.reason})"
    return None


def _promise_to_end() -> None:
    message("Putting back what the drill changed; it ends after that.")
