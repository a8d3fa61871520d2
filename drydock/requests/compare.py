"""Two runs beside each other: what differs, and whether the difference is more than noise.

How the noise is found: each run is cut into `WINDOWS` equal windows of time, and each figure is taken in every window.
The spread of those values, s, says how much the figure moves by itself within a run, and s / sqrt(windows) how well
the mean of them is known. The difference of two runs' means is called noise where it is less than `SIGMAS` times the
standard error of that difference, sqrt(s_a² / n_a + s_b² / n_b): Welch's statistic, without its small print. Windows
and not single requests, because requests that are close in time share their fate, and would make noise look small.
What it cannot see is what moved between the runs: repeat them, and compare A with A first.
"""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from drydock.requests.records import Record
from drydock.requests.statistics import ALL, Figures, by_route

WINDOWS = 10
# A window with fewer requests has no percentiles to speak of.
LEAST_REQUESTS = 5
# Some 2 % of differences between equal runs are beyond it, with ten windows each.
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
    """One figure of a route in two runs: the mean of each run's windows, and how far they differ."""

    route: str
    figure: str
    a: float
    b: float
    noise: float

    @property
    def delta(self) -> float:
        """By how much b is more than a."""
        return self.b - self.a

    @property
    def share(self) -> float | None:
        """The same as a share of a; None where a is 0."""
        return self.delta / self.a if self.a else None

    @property
    def significant(self) -> bool:
        """Whether it is more than what the figure moves by itself."""
        return abs(self.delta) > self.noise


def compare(a: Sequence[Record], b: Sequence[Record]) -> Iterator[Difference]:
    """The differences of every route that both runs have, and of all requests."""
    windows_a, windows_b = windows(a), windows(b)
    routes = [route for route in [*by_route(a), ALL] if route in [*by_route(b), ALL]]
    for route in routes:
        for figure, pick in FIGURES.items():
            values_a, values_b = _values(windows_a, route, pick), _values(windows_b, route, pick)
            if len(values_a) > 1 and len(values_b) > 1:
                yield difference(route, figure, values_a, values_b)


def difference(route: str, figure: str, a: Sequence[float], b: Sequence[float]) -> Difference:
    """Of the values that a figure took in the windows of two runs."""
    error = math.sqrt(statistics.variance(a) / len(a) + statistics.variance(b) / len(b))
    return Difference(route, figure, statistics.mean(a), statistics.mean(b), SIGMAS * error)


def windows(records: Sequence[Record]) -> list[list[Record]]:
    """The records of each of the windows, by when they were due."""
    if not records:
        return []
    first, last = min(record.intended for record in records), max(record.intended for record in records)
    cut: list[list[Record]] = [[] for _ in range(WINDOWS)]
    for record in records:
        cut[min(WINDOWS - 1, int((record.intended - first) / ((last - first) or 1) * WINDOWS))].append(record)
    return cut


def _values(cut: Sequence[Sequence[Record]], route: str, pick: Callable[[Figures], float | None]) -> list[float]:
    """The figure in each window, but for those that have too few requests for it."""
    everything = [record for window in cut for record in window]
    seconds = (max(r.intended for r in everything) - min(r.intended for r in everything)) / WINDOWS if everything else 0
    values = []
    for window in cut:
        chosen = [record for record in window if route in (ALL, record.operation)]
        value = pick(Figures.of(chosen, seconds))
        if value is not None:
            values.append(value)
    return values
