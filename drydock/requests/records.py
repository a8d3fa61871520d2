"""The records of a run: one line in `requests.csv.gz` for each request.

The judge and locust's workers write the same columns, those of `Record`. Locust's master appends the records of its
workers as they arrive, so the file can have several gzip members, and its lines are in the order of arrival.
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

    `intended` is the time at which it was due and `started` the time at which it was sent, both in Unix seconds. They
    are equal for users who wait for a response before they send the next request. `seconds` is the time from `intended`
    to the end of the response. `status` is 0 without a complete head of a response. `pod` answered the request,
    `worker` sent it, and `key` is its Idempotency-Key; each may be empty.

    The judge also records its `lane`, the number of its `connection`, the `position` of the request on that connection
    (from 0), the error's text as `reason` if there is no complete response, and the local TCP `port` of the connection.
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
    port: int = 0

    def row(self) -> tuple[str, ...]:
        """The record as a line of the file."""
        times = f"{self.intended:.6f}", f"{self.started:.6f}", f"{self.seconds:.6f}"
        answer = self.method, self.route, str(self.status), self.outcome.value, self.pod, self.worker, self.key
        return (*times, *answer, self.lane, str(self.connection), str(self.position), self.reason, str(self.port))

    @classmethod
    def parse(cls, row: Sequence[str]) -> Self:
        """Parses a line of the file. Raises ValueError if it is invalid."""
        intended, started, seconds, method, route, status, outcome, pod, worker, key, *more = row
        times = float(intended), float(started), float(seconds)
        first = cls(*times, method, route, int(status), Outcome(outcome), pod, worker, key)
        if not more:
            return first
        lane, connection, position, reason, *port = more
        placed = replace(first, lane=lane, connection=int(connection), position=int(position), reason=reason)
        return replace(placed, port=int(port[0])) if port else placed

    @property
    def ended(self) -> float:
        """The time at which it ended, in Unix seconds."""
        return self.intended + self.seconds

    @property
    def operation(self) -> str:
        """The route with its method, such as `GET /items/{id}`."""
        return f"{self.method} {self.route}"

    @property
    def lost(self) -> bool:
        """Whether it got no complete 2xx response."""
        return self.outcome is not Outcome.OK

    @property
    def whole(self) -> bool:
        """Whether it got a complete response, so that its time measures the service."""
        return self.outcome in WHOLE


COLUMNS = tuple(field.name for field in fields(Record))
# The columns without a default: the file of a locust worker may end after them. Older files of the judge end later.
REQUIRED = tuple(field.name for field in fields(Record) if field.default is MISSING)
HEADERS = {COLUMNS[:count] for count in range(len(REQUIRED), len(COLUMNS) + 1)}


class DamagedRecordsError(ValueError):
    """The file is damaged. The text names the line."""


def packed(rows: Iterable[Sequence[str]], compression: int = 9) -> bytes:
    """Lines of the file as one gzip member. Several members in a row are one file."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return gzip.compress(text.getvalue().encode(), compression, mtime=0)


def read(path: Path) -> Sequence[Record]:
    """The records of a file, in the order of their intended times.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedRecordsError: the file is damaged.
    """
    return sorted(_lines(path), key=lambda record: record.intended)


def _lines(path: Path) -> Iterator[Record]:
    line = 0
    try:
        with gzip.open(path, "rt", newline="") as file:
            rows = csv.reader(file)
            if (header := tuple(next(rows, ()))) not in HEADERS:
                raise ValueError(f"its columns are {', '.join(header)}")
            for row in rows:
                line = rows.line_num
                yield Record.parse(row)
    except FileNotFoundError:
        raise
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise DamagedRecordsError(f"{path} is damaged after line {line}: {error}") from error
