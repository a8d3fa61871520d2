"""Locks on files. The kernel releases a lock with the process that holds it, however that process ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from drydock.core.errors import CannotRunError
from drydock.core.project import cache_folder


@contextmanager
def exclusive() -> Iterator[None]:
    """Holds the lock of this user's cluster, which all checkouts share.

    Two `up`s at once would each take the other's half-made cluster for an abandoned one.

    Raises:
        CannotRunError: another `drydock` holds it.
    """
    path = cache_folder() / "cluster.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        if not taken(file):
            remedy = "Wait for it to end, or stop it with Ctrl-C."
            raise CannotRunError("another `drydock up` or `drydock down` is at work", remedy)
        yield


def taken(file: IO[str]) -> bool:
    """Takes the lock of an open file until it is closed. False if another process holds it."""
    return _locked(file, fcntl.LOCK_EX)


def held(path: Path) -> bool:
    """Whether a living process holds the lock of the file. False without the file."""
    try:
        with path.open() as file:
            return not _locked(file, fcntl.LOCK_SH)  # shared: two that ask do not see each other
    except FileNotFoundError:
        return False


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
