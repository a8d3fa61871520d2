"""Restores the service after a drill, on every exit."""

from collections.abc import Iterator
from contextlib import contextmanager

from drydock.core.console import message
from drydock.system import signals
from drydock.targets.target import Target


@contextmanager
def restored(target: Target, run: str, *, keep: bool = False) -> Iterator[None]:
    """Records the state of the service and restores it after the block; `keep` lists the changes instead.

    Raises:
        CannotRunError: another drill holds the service, or a part of it could not be restored.
    """
    try:
        target.begin(run)
        yield
    finally:
        if keep:
            for change in target.changed_parts():
                message(f"Kept: {change}. `drydock drill restore` restores it.")
        else:
            with signals.deferred(_announce):
                target.restore()


def _announce() -> None:
    message("Restoring the service first; the drill ends after that.")
