"""The record of a local drill: its temporary folder, and whether the drill still runs.

The drill writes it before it starts anything, and holds a lock on it to its end. Every process that it starts inherits
an environment variable with the folder. A lock, and not a pid: no reused pid and no change of the clock makes a running
drill look ended, or an ended one look running.
"""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from drydock.core.errors import CannotRunError
from drydock.system import lock, signals

VARIABLE = "DRYDOCK_DRILL"
# A program that sets its title with setproctitle, as gunicorn does, overwrites its environment with it unless this is
# set (https://github.com/dvarrazzo/py-setproctitle#environment-variables).
KEEP_ENVIRONMENT = {"SPT_NOENV": "1"}


@dataclass(frozen=True)
class DrillRecord:
    """The drill of process `pid`. Its temporary folder has the name of the file `path`, and is in `parent`."""

    path: Path
    pid: int
    parent: Path

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The record in a file; None if the file is damaged, or gone."""
        try:
            content = json.loads(path.read_text())
            return cls(path, int(content["pid"]), Path(content["parent"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def folder(self) -> Path:
        """The temporary folder."""
        return self.parent / self.path.name

    @property
    def database(self) -> Path:
        """The folder of the embedded PostgreSQL."""
        return self.folder / "postgres"

    @property
    def running(self) -> bool:
        """Whether the drill still runs."""
        return lock.held(self.path)

    @property
    def mark(self) -> Mapping[str, str]:
        """The environment variable of the drill's processes."""
        return {VARIABLE: str(self.folder)}

    def remove(self) -> None:
        """Forgets the drill."""
        self.path.unlink(missing_ok=True)


@contextmanager
def recorded(state: Path) -> Iterator[DrillRecord]:
    """The record of a drill of this process, below `state`. Its folder exists while the block lasts.

    What is started in the block inherits the mark.
    """
    parent, name = state / "drills", f"drydock-{secrets.token_hex(8)}"
    parent.mkdir(parents=True, exist_ok=True)
    unfinished = parent / f".{name}"
    with unfinished.open("x") as file:
        lock.taken(file)
        file.write(json.dumps({"pid": os.getpid(), "parent": tempfile.gettempdir()}))
        file.flush()
        # Under its name it is complete and locked: no `drydock down` finds it earlier.
        record = DrillRecord(unfinished.rename(parent / name), os.getpid(), Path(tempfile.gettempdir()))
        record.folder.mkdir()
        try:
            record.folder.chmod(0o755)  # Postgres may run as another user
            with _in_environment({**record.mark, **KEEP_ENVIRONMENT}):
                yield record
        finally:
            with signals.deferred():
                shutil.rmtree(record.folder, ignore_errors=True)
                if not record.folder.exists():  # otherwise `drydock down` is to find it
                    record.remove()


def records(state: Path) -> list[DrillRecord]:
    """The records below `state`: of drills that run, and of drills that were killed."""
    found = [DrillRecord.read(path) for path in sorted((state / "drills").glob("drydock-*"))]
    return [record for record in found if record is not None]


def refuse_running(state: Path) -> None:
    """Raises CannotRunError if a drill with a record below `state` runs."""
    for record in records(state):
        if record.running:
            remedy = f"Wait for it, or end it: kill -TERM {record.pid}"
            raise CannotRunError(f"a local drill is running: process {record.pid}", remedy)


@contextmanager
def _in_environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
