"""What the records of some requests come to: counts, percentiles, the share that was lost, the share of each pod."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from drydock.requests.outcome import Outcome
from drydock.requests.records import Record

ALL = "all"
QUANTILES = (50, 95, 99)
# The upper bounds of the client's latency histogram in seconds: those of the service's own
# http_request_duration_seconds, so that both sides can be compared.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10)


@dataclass(frozen=True)
class Figures:
    """The figures of some requests. Percentiles in milliseconds, None where no answer came whole."""

    count: int
    lost: int
    rate: float
    p50: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, records: Sequence[Record], seconds: float) -> Self:
        """Those of `records`, which were sent within `seconds`. `rate` is good answers a second."""
        lost = sum(record.lost for record in records)
        times = sorted(record.seconds for record in records if record.whole)
        good = len(records) - lost
        p50, p95, p99 = (milliseconds(percentile(times, quantile)) for quantile in QUANTILES)
        return cls(len(records), lost, good / seconds if seconds else 0.0, p50, p95, p99)

    @property
    def error_ratio(self) -> float:
        """The share that was lost."""
        return self.lost / self.count if self.count else 0.0


def by_route(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The records of each operation, such as `POST /items`, in alphabetical order of their routes."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.operation].append(record)
    return dict(sorted(groups.items(), key=lambda group: group[0].split(" ")[::-1]))


def table(records: Sequence[Record]) -> dict[str, Figures]:
    """The figures of each operation, and of all of them under `ALL`."""
    seconds = duration(records)
    groups = {**by_route(records), ALL: records}
    return {name: Figures.of(group, seconds) for name, group in groups.items()}


def duration(records: Sequence[Record]) -> float:
    """The seconds from the first request's start to the last one's end."""
    if not records:
        return 0.0
    return max(record.ended for record in records) - min(record.intended for record in records)


def shares(records: Sequence[Record]) -> dict[str, float]:
    """The share of each pod in all that was answered, the largest first."""
    counts = Counter(record.pod for record in records if record.pod)
    return {pod: count / counts.total() for pod, count in counts.most_common()}


def outcomes(records: Iterable[Record]) -> Mapping[Outcome, int]:
    """How many requests came to each outcome that was seen."""
    return Counter(record.outcome for record in records)


def percentile(ordered: Sequence[float], share: int) -> float | None:
    """The value that `share` per cent of some ordered values do not exceed (nearest rank); None without values."""
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else None


def milliseconds(seconds: float | None) -> float | None:
    """Seconds as milliseconds, to a tenth."""
    return None if seconds is None else round(seconds * 1000, 1)
