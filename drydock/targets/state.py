"""The state of everything that a drill may change: read before the drill, compared and restored after it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from drydock.core.console import step
from drydock.core.errors import CannotRunError, FailedError
from drydock.targets.journal import RESTORE


class Part(Protocol):
    """One object, or several of one kind. A state is JSON."""

    @property
    def title(self) -> str:
        """The name of the part for a person."""

    def read(self) -> Any:
        """Its state now. Two equal states need no restoring."""

    def restore(self, before: Any) -> None:
        """Brings it back to a state, and waits. Idempotent. Raises FailedError if that fails."""


def read(parts: Sequence[Part]) -> dict[str, Any]:
    """The state of each part by its title."""
    return {part.title: part.read() for part in parts}


def changed(parts: Sequence[Part], before: Mapping[str, Any]) -> list[str]:
    """The titles of the parts whose state differs."""
    return [part.title for part in parts if part.title in before and part.read() != before[part.title]]


def restore(parts: Sequence[Part], before: Mapping[str, Any]) -> None:
    """Restores the parts in their order. A part that fails does not keep the others from being restored.

    Raises:
        CannotRunError: a part is not restored; with the reason for each.
    """
    failures = [reason for part in parts if part.title in before and (reason := _restore(part, before[part.title]))]
    if failures:
        raise CannotRunError("\n".join(["not restored:", *failures]), RESTORE)


def _restore(part: Part, before: Any) -> str | None:
    """Restores one part if it differs. Returns the reason if that fails."""
    try:
        if part.read() == before:
            return None
        with step(f"restore: {part.title}"):
            part.restore(before)
    except Exception as error:  # whatever it is, the other parts must be restored
        return f"{part.title}: {error.reason if isinstance(error, FailedError) else repr(error)}"
    return None
