"""The account of a run: a line for each request, counts for each second, and how exact the judge itself was."""

import csv
import io
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

from drydock.judge.exchange import Exchange
from drydock.requests.outcome import Outcome
from drydock.requests.records import COLUMNS, Record
from drydock.requests.statistics import percentile

NAME = "judge"
# A request that was started later than this after it was due was not sent at the intended rate.
LATE_SECONDS = 0.02
GZIP = 31  # window bits of zlib for a gzip member
# base64 makes 8,000 bytes of it: below the 16 KiB at which a container runtime splits a line of the log.
CHUNK = 6000


class Ledger:
    """Counts exchanges. `clock` added to the monotonic clock's seconds makes Unix seconds."""

    def __init__(self, clock: float) -> None:
        self._clock = clock
        self._rows: list[tuple[str, ...]] = [COLUMNS]
        self._packer = zlib.compressobj(wbits=GZIP)
        self._packed = bytearray()
        self._seconds: list[float] = []
        self._errors: list[float] = []
        self._sent_before = 0
        self._cpu = time.process_time()
        self._ended = 0
        self.sent = 0
        self.late = 0
        self.outcomes: Counter[str] = Counter(dict.fromkeys(Outcome, 0))

    def started(self, exchange: Exchange) -> bool:
        """A request was started; returns whether that was late."""
        self.sent += 1
        error = exchange.started - exchange.due
        self._errors.append(error)
        late = error > LATE_SECONDS
        self.late += late
        return late

    def ended(self, exchange: Exchange, now: float) -> None:
        """A request has its outcome."""
        assert exchange.outcome is not None  # noqa: S101 - that is what ended means
        self._ended += 1
        self.outcomes[exchange.outcome] += 1
        seconds = now - exchange.due
        if exchange.outcome is Outcome.OK and exchange.lane != "long":
            self._seconds.append(seconds)
        self._rows.append(self._record(exchange, exchange.outcome, seconds).row())

    def _record(self, exchange: Exchange, outcome: Outcome, seconds: float) -> Record:
        return Record(
            exchange.due + self._clock,
            exchange.started + self._clock,
            seconds,
            exchange.request.method,
            exchange.request.route,
            exchange.status,
            outcome,
            exchange.pod,
            NAME,
            exchange.key,
            exchange.lane.value,
            exchange.connection,
            exchange.position,
            exchange.reason,
            exchange.port,
        )

    def sample(self, now: float, in_flight: int) -> dict[str, object]:
        """The progress sample of a second. Compresses the rows of that second."""
        self._pack()
        durations, self._seconds = sorted(self._seconds), []
        rate, self._sent_before = self.sent - self._sent_before, self.sent
        return {
            "time": round(now + self._clock, 3),
            "sent": self.sent,
            "rate": rate,
            "outcomes": dict(self.outcomes),
            "late": self.late,
            "p95_ms": _ms(durations, 95),
            "in_flight": in_flight,
        }

    def summary(self, rate: float, seconds: float) -> dict[str, object]:
        """The judge's accuracy: start errors in milliseconds, requests a second against those intended."""
        errors = sorted(self._errors)
        cpu = time.process_time() - self._cpu
        return {
            "sent": self.sent,
            "outcomes": dict(self.outcomes),
            "intended_rate": rate,
            "rate": round(self.sent / seconds, 2) if seconds else 0.0,
            "seconds": round(seconds, 3),
            "late": self.late,
            "late_over_ms": LATE_SECONDS * 1000,
            "start_error_p50_ms": _ms(errors, 50),
            "start_error_p99_ms": _ms(errors, 99),
            "start_error_max_ms": _ms(errors, 100),
            "cpu_us_per_request": round(cpu / self.sent * 1e6, 1) if self.sent else 0.0,
            "cores": round(cpu / seconds, 3) if seconds else 0.0,
        }

    @property
    def counted(self) -> int:
        """The number of requests that have a line."""
        return self._ended

    def chunks(self) -> Iterator[bytes]:
        """The records as a gzip of one CSV, in pieces."""
        self._pack()
        self._packed += self._packer.flush()
        for start in range(0, len(self._packed), CHUNK):
            yield bytes(self._packed[start : start + CHUNK])

    def _pack(self) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(self._rows)
        self._rows = []
        self._packed += self._packer.compress(text.getvalue().encode())


def _ms(ordered: Sequence[float], share: int) -> float:
    """The percentile in milliseconds; 0 without values."""
    return round((percentile(ordered, share) or 0.0) * 1000, 3)
