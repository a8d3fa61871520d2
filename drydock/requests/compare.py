"""Compares two runs: their differences, and which of them are more than noise.

Each run is cut into `WINDOWS` windows of equal length, and each figure is computed in every window. The standard
deviation s of these values measures the variation within a run, and s / sqrt(windows) is the standard error of their
mean. A difference of the means of two runs is noise if it is less than `SIGMAS` standard errors of the difference,
sqrt(s_a² / n_a + s_b² / n_b). This is Welch's t statistic with a fixed threshold.

The sample is a window and not a request, because requests that are close in time have correlated latencies, which
would make the noise look too small. The comparison does not see variation between runs: repeat the runs, and compare
A with A first.
"""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from drydock.requests.records import Record
from drydock.requests.statistics import ALL, Figures, by_route

WINDOWS = 10
# A window with fewer requests has no meaningful percentiles.
LEAST_REQUESTS = 5
# With ten windows each, about 2 % of the differences between equal runs exceed it.
SIGMAS = 2.5

FIGURES: dict[str, Callable[[Figures], float | None]] = {
    "p50 ms": lambda seen: seen.p50 if seen.count >= LEAST_REQUESTS else None,
    "p95 ms": lambda seen: seen.p95 if seen.count >= LEAST_REQUESTS else None,
    "p99 ms": lambda seen: seen.p99 if seen.count >= LEAST_REQUESTS else None,
    "good/s": lambda seen: seen.rate,
    "lost %": lambda seen: seen.error_ratio * 100,
}


@dataclass(frozen=True)
class Difference:
    """A figure of a route in two runs: the mean of each run's windows, and the noise of their difference."""

    route: str
    figure: str
    a: float
    b: float
    noise: float

    @property
    def delta(self) -> float:
        """The difference b - a."""
        return self.b - self.a

    @property
    def share(self) -> float | None:
        """The difference as a share of a; None if a is 0."""
        return self.delta / self.a if self.a else None

    @property
    def significant(self) -> bool:
        """Whether the difference is more than noise."""
        return abs(self.delta) > self.noise


def compare(a: Sequence[Record], b: Sequence[Record]) -> Iterator[Difference]:
    """The differences of all requests, and of each route that both runs have."""
    windows_a, windows_b = windows(a), windows(b)
    routes = [route for route in [*by_route(a), ALL] if route in [*by_route(b), ALL]]
    for route in routes:
        for figure, pick in FIGURES.items():
            values_a, values_b = _values(windows_a, route, pick), _values(windows_b, route, pick)
            if len(values_a) > 1 and len(values_b) > 1:
                yield difference(route, figure, values_a, values_b)


def difference(route: str, figure: str, a: Sequence[float], b: Sequence[float]) -> Difference:
    """The difference of a figure, from its values in the windows of two runs."""
    error = math.sqrt(statistics.variance(a) / len(a) + statistics.variance(b) / len(b))
    return Difference(route, figure, statistics.mean(a), statistics.mean(b), SIGMAS * error)


def windows(records: Sequence[Record]) -> list[list[Record]]:
    """The records in each window, by their intended times."""
    if not records:
        return []
    first, last = min(record.intended for record in records), max(record.intended for record in records)
    cut: list[list[Record]] = [[] for _ in range(WINDOWS)]
    for record in records:
        cut[min(WINDOWS - 1, int((record.intended - first) / ((last - first) or 1) * WINDOWS))].append(record)
    return cut


def _values(cut: Sequence[Sequence[Record]], route: str, pick: Callable[[Figures], float | None]) -> list[float]:
    """The figure in each window, without the windows that have too few requests."""
    everything = [record for window in cut for record in window]
    seconds = (max(r.intended for r in everything) - min(r.intended for r in everything)) / WINDOWS if everything else 0
    values = []
    for window in cut:
        chosen = [record for record in window if route in (ALL, record.operation)]
        value = pick(Figures.of(chosen, seconds))
        if value is not None:
            values.append(value)
    return values
