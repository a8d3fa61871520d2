"""The records of a run: one line for each request that was sent, in `requests.csv.gz`.

The master of the load generator appends what its workers report, so the file is a gzip of several members, and its
lines are in the order of arrival. Columns: `COLUMNS`, of the judge `JUDGE_COLUMNS`; times are Unix seconds.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

from drydock.core.errors import CannotRunError
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
        """The route with its method, such as `GET /products/{product_id}`."""
        return f"{self.method} {self.route}"

    @property
    def lost(self) -> bool:
        """Whether it came to anything but an answer of 2xx."""
        return self.outcome is not Outcome.OK

    @property
    def whole(self) -> bool:
        """Whether a whole answer came, so that its time says something of the service."""
        return self.outcome in WHOLE


JUDGE_COLUMNS = tuple(field.name for field in fields(Record))
# What the load generator writes: its users have no lanes.
COLUMNS = JUDGE_COLUMNS[:10]


def read(path: Path) -> Sequence[Record]:
    """The records of a file, in the order in which the requests were due.

    Raises:
        CannotRunError: there is no such file, or it is broken; the reason names the line.
    """
    return sorted(_lines(path), key=lambda record: record.intended)


def _lines(path: Path) -> Iterator[Record]:
    line = 0
    try:
        with gzip.open(path, "rt", newline="") as file:
            rows = csv.reader(file)
            if (header := tuple(next(rows, ()))) not in (COLUMNS, JUDGE_COLUMNS):
                raise ValueError(f"its columns are {', '.join(header)}")
            for row in rows:
                line = rows.line_num
                yield Record.parse(row)
    except FileNotFoundError as error:
        raise CannotRunError(f"there is no {path}", "Choose another run: `drydock runs list`.") from error
    except (ValueError, EOFError, OSError, zlib.error) as error:
        reason = f"{path} is broken after line {line}: {error}"
        raise CannotRunError(reason, "The run was cut off while it was written: repeat it.") from error
