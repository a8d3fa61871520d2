"""Remembering a process we left running, without ever mistaking another one for it."""

import contextlib
import json
import os
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from drydock.system.wait import wait_until

# The start time of a process is derived from the clock, which may be set; a pid is not reused that soon.
START_TIME_TOLERANCE_SECONDS = 2.0
KILL_SECONDS = 5.0


@dataclass(frozen=True)
class PidFile:
    """A file with a process's id and the second it started; a recycled id belongs to a process that started later."""

    path: Path

    def write(self, pid: int | None = None) -> None:
        """Remembers the process `pid`, by default our own."""
        process = psutil.Process(pid or os.getpid())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps({"pid": process.pid, "started": process.create_time()}))

    def process(self) -> psutil.Process | None:
        """The remembered process while it lives."""
        try:
            remembered = json.loads(self.path.read_text())
            return running(int(remembered["pid"]), float(remembered["started"]))
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return None

    def remove(self) -> None:
        """Forgets it."""
        self.path.unlink(missing_ok=True)

    def stop(self, seconds: float) -> bool:
        """Sends SIGTERM, and SIGKILL after `seconds`. False if there was no process."""
        process = self.process()
        if process is not None:
            terminate([process], seconds)
        self.remove()
        return process is not None


def running(pid: int, started: float) -> psutil.Process | None:
    """The process with this id that started at this time (Unix seconds); None if it has ended.

    Raises:
        psutil.Error: its state may not be read.
    """
    try:
        process = psutil.Process(pid)
        drift = abs(process.create_time() - started)
    except psutil.NoSuchProcess:
        return None
    return None if _ended(process) or drift > START_TIME_TOLERANCE_SECONDS else process


def terminate(processes: Sequence[psutil.Process], seconds: float, number: signal.Signals = signal.SIGTERM) -> None:
    """Ends processes: signal `number` to each, and SIGKILL after `seconds` to those that still run."""
    _send(number, processes)
    if not wait_until(lambda: all(map(_ended, processes)), seconds, interval=0.05):
        _send(signal.SIGKILL, processes)
        wait_until(lambda: all(map(_ended, processes)), KILL_SECONDS, interval=0.05)


def _send(number: signal.Signals, processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _ended(process: psutil.Process) -> bool:
    """Whether the process has ended. A zombie has: it keeps its pid until its parent, or init, reads its exit code."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
