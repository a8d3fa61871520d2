"""The time for which programs of this machine waited for a CPU: the kernel's pressure stall information (PSI).

Source: https://docs.kernel.org/accounting/psi.html. `some` is the time in which at least one task waited for a CPU.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PSI = Path("/proc/pressure/cpu")
INTERVAL_SECONDS = 1.0


@dataclass(frozen=True)
class CpuPressure:
    """Pairs of Unix seconds and the share of the second before it in which a task waited for a CPU, from 0 to 1.

    Empty where the kernel has no PSI, as on macOS.
    """

    shares: Sequence[tuple[float, float]] = ()

    def between(self, began: float, ended: float) -> float | None:
        """The mean share between two times; None if it was not observed."""
        chosen = [share for time, share in self.shares if began <= time <= ended + INTERVAL_SECONDS]
        return sum(chosen) / len(chosen) if chosen else None

    def as_json(self) -> dict[str, Any]:
        """For the timeline of a run."""
        return {"source": str(PSI), "some": [[round(time, 2), round(share, 3)] for time, share in self.shares]}


class CpuPressureRecorder:
    """Records the pressure each second until the end of the block."""

    def __init__(self, source: Path = PSI, interval: float = INTERVAL_SECONDS) -> None:
        self._source = source
        self._interval = interval
        self._shares: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._record, name="cpu-pressure", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def pressure(self) -> CpuPressure:
        """The record so far."""
        return CpuPressure(tuple(self._shares))

    def _record(self) -> None:
        before, at = stalled_seconds(self._source), time.monotonic()
        while before is not None and not self._over.wait(self._interval):
            stalled, now = stalled_seconds(self._source), time.monotonic()
            if stalled is None:
                return
            self._shares.append((time.time(), min(1.0, (stalled - before) / (now - at))))
            before, at = stalled, now


def stalled_seconds(source: Path = PSI) -> float | None:
    """The seconds since the boot in which a task waited for a CPU; None without PSI."""
    try:
        [some] = [line for line in source.read_text().splitlines() if line.startswith("some ")]
        return int(some.rpartition("total=")[2]) / 1_000_000
    except (OSError, ValueError):
        return None
