"""The leftovers of killed local drills: service, PostgreSQL, router, judge and temporary folder, found and ended."""

import contextlib
import shutil
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from drydock.core.errors import FailedError
from drydock.local.drill_record import VARIABLE, DrillRecord, records
from drydock.local.postgres import postmaster, stop_leftover
from drydock.system.pidfile import terminate

REMEDY = "drydock down"
# The drill itself ends its processes at once. This is the time in which one may write its last lines.
END_SECONDS = 5.0
COMMAND_WIDTH = 60


@dataclass(frozen=True)
class Leftovers:
    """The remains of one killed drill: its processes with their commands, and its folder."""

    record: DrillRecord
    processes: Mapping[psutil.Process, str]

    @classmethod
    def of(cls, record: DrillRecord) -> Self:
        """Looks for them. PostgreSQL, which overwrites environments, is found by its own pid file too."""
        found = {
            process: _command(process.info["cmdline"])
            for process in psutil.process_iter(["environ", "cmdline"])
            if (process.info["environ"] or {}).get(VARIABLE) == str(record.folder)
        }
        if server := postmaster(record.database):
            found.setdefault(server, "postgres")
        return cls(record, found)

    @property
    def names(self) -> list[str]:
        """One for each process, and the folder. Empty if nothing remains, as after a reboot."""
        processes = [f"{command} (process {process.pid})" for process, command in self.processes.items()]
        return [*processes, *([str(self.record.folder)] if self.record.folder.exists() else [])]

    def __str__(self) -> str:
        return f"killed, left behind: {', '.join(self.names)}"

    def end(self) -> list[str]:
        """Ends the processes, PostgreSQL last; deletes the folder and the record. Returns the names of what was there.

        Raises:
            FailedError: something is still there. Its record stays.
        """
        names, server = self.names, postmaster(self.record.database)
        with contextlib.suppress(psutil.AccessDenied):
            terminate([process for process in self.processes if process != server], END_SECONDS)
            stop_leftover(self.record.database)
        shutil.rmtree(self.record.folder, ignore_errors=True)
        if remaining := Leftovers.of(self.record).names:
            remedy = f"Run `{REMEDY}` again, as the user who ran the drill."
            raise FailedError(f"a killed drill's leftovers do not end: {', '.join(remaining)}", remedy)
        self.record.remove()
        return names


def find(state: Path) -> list[Leftovers]:
    """The leftovers of each drill with a record below `state` that was killed."""
    return [found for found in _of_killed(state) if found.names]


def end(state: Path) -> Iterator[str]:
    """Ends the leftovers of each drill with a record below `state` that was killed; gives their names.

    Raises:
        FailedError: one is still there.
    """
    for killed in _of_killed(state):
        yield from killed.end()


def _of_killed(state: Path) -> list[Leftovers]:
    return [Leftovers.of(record) for record in records(state) if not record.running]


def _command(words: list[str] | None) -> str:
    """A command line without the folders in it, shortened."""
    return textwrap.shorten(" ".join(Path(word).name for word in words or ["?"]), COMMAND_WIDTH, placeholder=" …")
