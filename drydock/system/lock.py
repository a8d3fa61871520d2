"""One at a time: two `up`s at once would each take the other's half-made cluster for an abandoned one."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from drydock.core.errors import CannotRunError
from drydock.core.project import cache_folder


@contextmanager
def exclusive() -> Iterator[None]:
    """Holds the lock of this user's cluster, which all checkouts share; a process that ends lets go of it.

    Raises:
        CannotRunError: another `drydock` holds it.
    """
    path = cache_folder() / "cluster.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            remedy = "Wait for it to end, or stop it with Ctrl-C."
            raise CannotRunError("another `drydock up` or `drydock down` is at work", remedy) from error
        yield
