"""The requests of a run in windows of equal length, by the time at which each ended."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.requests.statistics import milliseconds, percentile


@dataclass(frozen=True)
class Window:
    """The requests that ended between `begin` and `end` (Unix seconds)."""

    begin: float
    end: float
    records: Sequence[Record]

    @property
    def rate(self) -> float:
        """The number of requests a second."""
        return len(self.records) / (self.end - self.begin)

    def latency(self, share: int, route: str) -> float | None:
        """The percentile `share` of a route's latency in this window, as the function `latency` defines it."""
        return latency(self.records, share, route)

    def errors(self) -> dict[Outcome, float]:
        """The number of lost requests a second by outcome."""
        lost = Counter(record.outcome for record in self.records if record.lost)
        return {outcome: count / (self.end - self.begin) for outcome, count in lost.items()}


def windows(records: Sequence[Record], begin: float, end: float, seconds: float) -> Iterator[Window]:
    """The windows of `seconds` that fit between `begin` and `end`, empty ones included."""
    sorted_in = defaultdict(list)
    for record in records:
        sorted_in[int((record.ended - begin) // seconds)].append(record)
    for number in range(int((end - begin) // seconds)):
        start = begin + number * seconds
        yield Window(start, start + seconds, sorted_in[number])


def latency(records: Sequence[Record], share: int, route: str) -> float | None:
    """The percentile `share` of a route's complete responses in milliseconds; None without any."""
    times = sorted(record.seconds for record in records if record.whole and record.route == route)
    return milliseconds(percentile(times, share))


def in_flight_above(records: Sequence[Record], users: int) -> tuple[float, float] | None:
    """The first and last time with more than `users` requests in flight (Unix seconds); None if there is none.

    A user waits for each response, so these requests prove more than `users` users. This is the period in which they
    ran, accurate to a millisecond.
    """
    changes = sorted([(it.started, 1) for it in records] + [(it.ended, -1) for it in records])
    first, last, count = None, 0.0, 0
    for time, change in changes:
        if change < 0 and count == users + 1:
            last = time
        count += change
        if count > users and first is None:
            first = time
    return None if first is None else (first, last)
