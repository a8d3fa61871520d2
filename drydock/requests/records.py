"""The records of a run: one line for each request that was sent, in `requests.csv.gz`.

The judge and locust's workers write the same columns, those of `Record`. Locust's master appends what its workers
report, so the file can be a gzip of several members, and its lines are in the order of arrival.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Self

from drydock.requests.outcome import WHOLE, Outcome

FILE = "requests.csv.gz"


@dataclass(frozen=True, slots=True)
class Record:
    """One request.

    `intended` is when it was due, `started` when it was sent; both are the same for users who wait for an answer before
    they go on. `seconds` runs from `intended` to the end of the answer. `status` is 0 where no answer's head came.
    `pod` is who answered, `worker` who asked, `key` the Idempotency-Key of an order; each is empty where there is none.
    The judge also says its `lane`, the number of its `connection` and the `position` on it (0 is the first request of a
    connection), and for what did not end with an answer the error's own words as `reason`.
    """

    intended: float
    started: float
    seconds: float
    method: str
    route: str
    status: int
    outcome: Outcome
    pod: str
    worker: str
    key: str
    lane: str = ""
    connection: int = 0
    position: int = 0
    reason: str = ""

    def row(self) -> tuple[str, ...]:
        """The line of the file."""
        times = f"{self.intended:.6f}", f"{self.started:.6f}", f"{self.seconds:.6f}"
        answer = self.method, self.route, str(self.status), self.outcome.value, self.pod, self.worker, self.key
        return (*times, *answer, self.lane, str(self.connection), str(self.position), self.reason)

    @classmethod
    def parse(cls, row: Sequence[str]) -> Self:
        """Reads a line of the file. Raises ValueError where it is none."""
        intended, started, seconds, method, route, status, outcome, pod, worker, key, *more = row
        times = float(intended), float(started), float(seconds)
        first = cls(*times, method, route, int(status), Outcome(outcome), pod, worker, key)
        if not more:
            return first
        lane, connection, position, reason = more
        return replace(first, lane=lane, connection=int(connection), position=int(position), reason=reason)

    @property
    def ended(self) -> float:
        """When it was over, in Unix seconds."""
        return self.intended + self.seconds

    @property
    def operation(self) -> str:
        """The route with its method, such as `GET /items/{id}`."""
        return f"{self.method} {self.route}"

    @property
    def lost(self) -> bool:
        """Whether it came to anything but an answer of 2xx."""
        return self.outcome is not Outcome.OK

    @property
    def whole(self) -> bool:
        """Whether a whole answer came, so that its time says something of the service."""
        return self.outcome in WHOLE


COLUMNS = tuple(field.name for field in fields(Record))
# Files from before a column with a default was added lack it.
REQUIRED = tuple(field.name for field in fields(Record) if field.default is MISSING)


class DamagedRecordsError(ValueError):
    """The file is not whole; the text names the line."""


def packed(rows: Iterable[Sequence[str]], compression: int = 9) -> bytes:
    """Lines of the file as a gzip member of their own: members behind each other are one file."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return gzip.compress(text.getvalue().encode(), compression, mtime=0)


def read(path: Path) -> Sequence[Record]:
    """The records of a file, in the order in which the requests were due.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedRecordsError: it is not whole.
    """
    return sorted(_lines(path), key=lambda record: record.intended)


def _lines(path: Path) -> Iterator[Record]:
    line = 0
    try:
        with gzip.open(path, "rt", newline="") as file:
            rows = csv.reader(file)
            if (header := tuple(next(rows, ()))) not in (COLUMNS, REQUIRED):
                raise ValueError(f"its columns are {', '.join(header)}")
            for row in rows:
                line = rows.line_num
                yield Record.parse(row)
    except FileNotFoundError:
        raise
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise DamagedRecordsError(f"{path} is damaged after line {line}: {error}") from error
