"""The changes of a drill, each with its rollback. Every exit from a drill rolls them back, the latest first."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Self

from drydock.core.console import message, step
from drydock.core.errors import FailedError


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
        with _undisturbed():
            failures = [failure for failure in map(_roll_back, reversed(self._applied)) if failure]
        if failures:
            remedy = "Restore it by hand, or run: drydock up --mode parity"
            raise FailedError(f"not rolled back: {'; '.join(failures)}", remedy) from error


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """SIGTERM ends a drill as Ctrl-C does: with its changes rolled back."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _roll_back(change: Change) -> str | None:
    """Rolls one change back. Returns the reason if that fails."""
    try:
        with step(f"roll back: {change.description}"):
            change.rollback()
    except FailedError as error:
        return f"{change.description} ({error.reason})"
    return None


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Delays SIGINT and SIGTERM until every change is rolled back: a second Ctrl-C leaves no half-changed workload."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        pressed.append(number)
        message("Rolling back the changes of the drill; it ends after that.")

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if pressed:
        raise KeyboardInterrupt
