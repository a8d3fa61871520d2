"""The verdict on a load run: compares its records with the objectives, and warns of unreliable figures."""

from collections.abc import Iterator, Mapping, Sequence

from drydock.load.locust_run import LoadSample
from drydock.load.objectives import Limits, LoadObjectives
from drydock.requests import statistics
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.requests.statistics import ALL, Figures
from drydock.runs.verdict import Check, Verdict

# Above this, responses wait for a worker's CPU, and the worker measures itself.
BUSY_PERCENT = 90.0


def decide(
    scenario: str, records: Sequence[Record], objectives: LoadObjectives, samples: Sequence[LoadSample]
) -> Verdict:
    """The verdict on the records of a run. `samples` show how busy the load generator was."""
    table = statistics.table(records)
    checks = list(_checks(table, objectives))
    failed = [check.name for check in checks if not check.passed]
    return Verdict(
        name=scenario,
        kind="load",
        summary=summary(scenario, table[ALL], statistics.duration(records), failed),
        checks=checks,
        figures=dict(_figures(table)),
        warnings=list(warnings(samples, records)),
    )


def summary(scenario: str, all_: Figures, seconds: float, failed: Sequence[str]) -> str:
    """The result of a run in one line."""
    result = f"FAILED ({', '.join(failed)})" if failed else "passed"
    return (
        f"{scenario} {result}: {all_.count:,} requests in {seconds:.0f} s, {all_.rate:.1f} good answers/s, "
        f"p50 {ms(all_.p50)}, p95 {ms(all_.p95)}, p99 {ms(all_.p99)}, {statistics.in_words(all_.lost, all_.count)}"
    )


def warnings(samples: Sequence[LoadSample], records: Sequence[Record]) -> Iterator[str]:
    """The reasons for which the figures may measure the load generator instead of the service."""
    busy = max((sample.cpu_percent for sample in samples), default=0.0)
    if busy > BUSY_PERCENT:
        yield f"the load generator's CPU was at {busy:.0f} %, which limits the result: use more --workers or less load"
    last = samples[-1] if samples else None
    for limit in last.limits if last else ():
        yield f"the load generator has exhausted a resource: {limit}"
    if last and last.sent != len(records):
        yield f"{last.sent:,} requests were sent and {len(records):,} have a record: a worker was lost"


def ms(value: float | None) -> str:
    """Milliseconds as text."""
    return "none" if value is None else f"{value:.0f} ms"


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
        expected, observed = f"at most {limits.error_ratio:.2%}", f"{seen.lost:,} of {seen.count:,}"
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
