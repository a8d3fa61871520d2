"""One record for each request: kept by the process that sent it, shipped each second, written by the master.

A worker compresses its records into a gzip member of their own; the master appends it as it is, and never unpacks what
a thousand requests a second have to say. Only the counts beside them are added up.
"""

import os
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drydock.requests.outcome import WHOLE, Outcome
from drydock.requests.records import COLUMNS, Record, packed
from drydock.requests.statistics import BUCKETS

# The fastest: a worker's core is for sending.
COMPRESSION = 1


@dataclass
class Counts:
    """What some requests came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    pods: Counter[str] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0
    limits: set[str] = field(default_factory=set)

    @property
    def sent(self) -> int:
        """How many requests."""
        return self.outcomes.total()

    @property
    def failed(self) -> int:
        """How many of them were lost."""
        return self.sent - self.outcomes[Outcome.OK]

    def count(self, outcome: Outcome, pod: str, seconds: float) -> None:
        """Adds a request."""
        self.outcomes[outcome] += 1
        if pod:
            self.pods[pod] += 1
        if outcome in WHOLE:
            self.buckets[bisect_left(BUCKETS, seconds)] += 1
            self.seconds += seconds

    def add(self, other: "Counts") -> None:
        """Adds those of another process."""
        self.outcomes += other.outcomes
        self.pods += other.pods
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]
        self.seconds += other.seconds
        self.limits |= other.limits

    def packed(self) -> dict[str, Any]:
        """As plain values, which a message can carry."""
        return {**vars(self), "outcomes": dict(self.outcomes), "pods": dict(self.pods), "limits": list(self.limits)}

    @classmethod
    def unpacked(cls, values: dict[str, Any]) -> "Counts":
        """From plain values."""
        counters = {name: Counter(values[name]) for name in ("outcomes", "pods")}
        return cls(**{**values, **counters, "limits": set(values["limits"])})


class Recorder:
    """The records of this process since they were last taken, and what they come to."""

    def __init__(self, worker: str, keep: bool) -> None:
        self.counts = Counts()
        self.worker = worker
        self._keep = keep
        self._rows: list[tuple[str, ...]] = []

    def keep(self, record: Record) -> None:
        """Counts a request, and keeps its line."""
        self.counts.count(record.outcome, record.pod, record.seconds)
        if self._keep:
            self._rows.append(record.row())

    def take(self) -> tuple[bytes, Counts]:
        """The records as a gzip member, and the counts; both begin anew."""
        rows, counts = self._rows, self.counts
        self._rows, self.counts = [], Counts()
        return (packed(rows, COMPRESSION) if rows else b""), counts


class Writer:
    """The file that the records are appended to; none where `path` is empty."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("wb") if path else None  # noqa: SIM115 - open until the process ends
        self.append(packed([COLUMNS]))

    def append(self, records: bytes) -> None:
        """Appends what a worker has taken; it is on disk when this returns, as a run may be cut off."""
        if self._file and records:
            self._file.write(records)
            self._file.flush()


def wanted() -> str:
    """The file that LOAD_RECORDS names; empty where no records are wanted."""
    return os.environ.get("LOAD_RECORDS", "")
