"""The verdict on a load run: compares its records with the objectives, and warns of unreliable figures."""

from collections.abc import Iterator, Mapping, Sequence

from drydock.load.locust_run import LoadSample
from drydock.load.objectives import Limits, LoadObjectives
from drydock.requests import statistics
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.requests.statistics import ALL, Figures
from drydock.runs.verdict import Check, Result, Verdict, result_of

# Above this, responses wait for a worker's CPU, and the worker measures itself.
BUSY_PERCENT = 90.0


def decide(
    scenario: str,
    records: Sequence[Record],
    objectives: LoadObjectives,
    samples: Sequence[LoadSample],
    *,
    workers: int = 1,
    interrupted: bool = False,
) -> Verdict:
    """The verdict on the records of a run with so many workers. `samples` show how the load generator was doing."""
    table = statistics.table(records)
    checks = [*_checks(table, objectives), *_generator(samples, records, workers, interrupted=interrupted)]
    return Verdict(
        name=scenario,
        kind="load",
        summary=summary(scenario, table[ALL], statistics.duration(records), checks),
        checks=checks,
        figures=dict(_figures(table)),
        warnings=list(warnings(samples)),
    )


def summary(scenario: str, all_: Figures, seconds: float, checks: Sequence[Check]) -> str:
    """The result of a run in one line."""
    amiss = ", ".join(check.name for check in checks if not check.passed)
    words = {Result.PASSED: "passed", Result.FAILED: f"FAILED ({amiss})", Result.UNKNOWN: f"inconclusive ({amiss})"}
    result = words[result_of(checks)]
    return (
        f"{scenario} {result}: {all_.count:,} requests in {seconds:.0f} s, {all_.rate:.1f} good answers/s, "
        f"p50 {ms(all_.p50)}, p95 {ms(all_.p95)}, p99 {ms(all_.p99)}, {statistics.in_words(all_.lost, all_.count)}"
    )


def warnings(samples: Sequence[LoadSample]) -> Iterator[str]:
    """The reasons for which the figures may measure the load generator instead of the service."""
    busy = max((sample.cpu_percent for sample in samples), default=0.0)
    if busy > BUSY_PERCENT:
        yield f"the load generator's CPU was at {busy:.0f} %, which limits the result: use more --workers or less load"
    for limit in samples[-1].limits if samples else ():
        yield f"the load generator has exhausted a resource: {limit}"


def ms(value: float | None) -> str:
    """Milliseconds as text."""
    return "none" if value is None else f"{value:.0f} ms"


def _generator(
    samples: Sequence[LoadSample], records: Sequence[Record], workers: int, *, interrupted: bool
) -> Iterator[Check]:
    """Whether the load was the one that was asked for, and every request of it has a record."""
    fewest = min((sample.workers for sample in samples if sample.users), default=None)
    passed, observed = (None, "not observed") if fewest is None else (fewest >= workers, str(fewest))
    yield Check("every worker stays until the end", passed, str(workers), observed)
    sent = samples[-1].sent if samples else 0
    observed = f"{len(records):,} of {sent:,}"
    yield Check("every request has a record", len(records) == sent, "all that were sent", observed)
    observed = "ended early by Ctrl-C" if interrupted else "complete"
    yield Check("the run is complete", None if interrupted else True, "complete", observed)


def _checks(table: Mapping[str, Figures], objectives: LoadObjectives) -> Iterator[Check]:
    if not table[ALL].count:
        yield Check("requests", False, "at least one request", "no request")
    yield from _of(ALL, table[ALL], objectives.overall)
    for route, limits in objectives.routes.items():
        # A route that the scenario's users do not request has no figures.
        if route in table:
            yield from _of(route, table[route], limits)


def _of(name: str, seen: Figures, limits: Limits) -> Iterator[Check]:
    for quantile, value, limit in [
        ("p50", seen.p50, limits.p50_ms),
        ("p95", seen.p95, limits.p95_ms),
        ("p99", seen.p99, limits.p99_ms),
    ]:
        if limit is not None:
            yield Check(f"{name} {quantile}", value is not None and value <= limit, f"at most {ms(limit)}", ms(value))
    if limits.error_ratio is not None:
        expected = f"at most {statistics.percent(limits.error_ratio, digits=6)}"
        observed = f"{seen.lost:,} of {seen.count:,}"
        yield Check(f"{name} error ratio", seen.error_ratio <= limits.error_ratio, expected, observed)
    if limits.min_rate is not None:
        yield Check(
            f"{name} rate", seen.rate >= limits.min_rate, f"at least {limits.min_rate:g}/s", f"{seen.rate:.1f}/s"
        )


def _figures(table: Mapping[str, Figures]) -> Iterator[tuple[str, float]]:
    for name, seen in table.items():
        for key in ("count", "lost", "rate", "p50", "p95", "p99"):
            if (value := getattr(seen, key)) is not None:
                yield f"{name} {key}", round(value, 3)


def lost(records: Sequence[Record]) -> str:
    """The number of lost requests by outcome as text; empty if none was lost."""
    counts = statistics.outcomes(records)
    return ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in Outcome if counts[outcome] and outcome != "ok")
