"""Statistics of records: counts, percentiles, the share of lost requests, the share of each pod."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from drydock.requests.outcome import Outcome
from drydock.requests.records import Record

ALL = "all"
CONFIDENCE = 0.95
QUANTILES = (50, 95, 99)
# The upper bounds of the client's latency histogram in seconds: those of the service's own
# http_request_duration_seconds, so that both sides can be compared.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10)


@dataclass(frozen=True)
class Figures:
    """The figures of some requests. Percentiles are in milliseconds, and None without a complete response."""

    count: int
    lost: int
    rate: float
    p50: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, records: Sequence[Record], seconds: float) -> Self:
        """The figures of `records` over `seconds`. `rate` is the number of 2xx responses a second."""
        lost = sum(record.lost for record in records)
        times = sorted(record.seconds for record in records if record.whole)
        good = len(records) - lost
        p50, p95, p99 = (milliseconds(percentile(times, quantile)) for quantile in QUANTILES)
        return cls(len(records), lost, good / seconds if seconds else 0.0, p50, p95, p99)

    @property
    def error_ratio(self) -> float:
        """The share of lost requests."""
        return self.lost / self.count if self.count else 0.0


def by_route(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The records of each operation, such as `POST /items`, in alphabetical order of the routes."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.operation].append(record)
    return dict(sorted(groups.items(), key=lambda group: group[0].split(" ")[::-1]))


def table(records: Sequence[Record]) -> dict[str, Figures]:
    """The figures of each operation, and of all requests under `ALL`."""
    seconds = duration(records)
    groups = {**by_route(records), ALL: records}
    return {name: Figures.of(group, seconds) for name, group in groups.items()}


def duration(records: Sequence[Record]) -> float:
    """The seconds from the intended time of the first request to the end of the last one."""
    if not records:
        return 0.0
    return max(record.ended for record in records) - min(record.intended for record in records)


def shares(records: Sequence[Record]) -> dict[str, float]:
    """The share of each pod in all answered requests, largest first."""
    counts = Counter(record.pod for record in records if record.pod)
    return {pod: count / counts.total() for pod, count in counts.most_common()}


def outcomes(records: Iterable[Record]) -> Mapping[Outcome, int]:
    """The number of requests with each outcome."""
    return Counter(record.outcome for record in records)


def percentile(ordered: Sequence[float], share: int) -> float | None:
    """The value that `share` percent of the ordered values do not exceed (nearest rank); None without values."""
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else None


def upper_bound(lost: int, sent: int) -> float:
    """The share of lost requests that is not exceeded with 95 % confidence, when `lost` of `sent` were lost.

    The exact bound of a Poisson count: 3 / sent for no loss (the rule of three, Hanley and Lippman-Hand, JAMA 1983).
    Without requests it is 1. It holds for losses that are independent of each other.
    """
    low, high = float(lost), 2.0 * lost + 20
    while high - low > 1e-6 * high:
        mean = (low + high) / 2
        low, high = (mean, high) if _at_most(lost, mean) > 1 - CONFIDENCE else (low, mean)
    return min(1.0, high / sent) if sent else 1.0


def _at_most(count: int, mean: float) -> float:
    """The probability that a Poisson variable with this mean is at most `count`."""
    return math.fsum(math.exp(number * math.log(mean) - mean - math.lgamma(number + 1)) for number in range(count + 1))


def in_words(lost: int, sent: int) -> str:
    """Such as `0 of 10,146 requests lost (at most 0.03 % with 95 % confidence)`."""
    if not sent:
        return "no request was sent"
    bound, confidence = percent(upper_bound(lost, sent)), percent(CONFIDENCE)
    return f"{lost:,} of {sent:,} requests lost (at most {bound} with {confidence} confidence)"


def percent(share: float, digits: int = 2) -> str:
    """A share with this many significant digits and no exponent, such as `100 %` or `0.00003 %`."""
    return f"{Decimal(f'{100 * share:.{digits}g}'):f} %"


def milliseconds(seconds: float | None) -> float | None:
    """Seconds as milliseconds, rounded to a tenth."""
    return None if seconds is None else round(seconds * 1000, 1)
