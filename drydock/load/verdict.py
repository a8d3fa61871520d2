"""The verdict on a load run: its records against the objectives, and what to read the figures with."""

from collections.abc import Iterator, Mapping, Sequence

from drydock.load.locust_run import LoadSample
from drydock.load.objectives import Limits, LoadObjectives
from drydock.requests import statistics
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.requests.statistics import ALL, Figures
from drydock.runs.verdict import Check, Verdict

# Above this a worker's answers wait for the worker: what it measures is itself.
BUSY_PERCENT = 90.0


def decide(
    scenario: str, records: Sequence[Record], objectives: LoadObjectives, samples: Sequence[LoadSample]
) -> Verdict:
    """Holds the records of a run against its objectives. `ticks` say how the load generator itself was."""
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
    """One line on the whole run."""
    word = f"FAILED ({', '.join(failed)})" if failed else "passed"
    return (
        f"{scenario} {word}: {all_.count:,} requests in {seconds:.0f} s, {all_.rate:.1f} good answers/s, "
        f"p50 {ms(all_.p50)}, p95 {ms(all_.p95)}, p99 {ms(all_.p99)}, {all_.lost:,} lost ({all_.error_ratio:.2%})"
    )


def warnings(samples: Sequence[LoadSample], records: Sequence[Record]) -> Iterator[str]:
    """Why the figures may be the load generator's own, and not the service's."""
    busy = max((sample.cpu_percent for sample in samples), default=0.0)
    if busy > BUSY_PERCENT:
        yield f"the load generator's CPU was at {busy:.0f} %: it shaped the result; take more --workers, or less load"
    last = samples[-1] if samples else None
    for limit in last.limits if last else ():
        yield f"the load generator has run out of something: {limit}"
    if last and last.sent != len(records):
        yield f"{last.sent:,} requests were counted, {len(records):,} have a record: a worker was lost"


def ms(value: float | None) -> str:
    """Milliseconds for people."""
    return "none" if value is None else f"{value:.0f} ms"


def _checks(table: Mapping[str, Figures], objectives: LoadObjectives) -> Iterator[Check]:
    if not table[ALL].count:
        yield Check("requests", False, "at least one request", "none was sent")
    yield from _of(ALL, table[ALL], objectives.overall)
    for route, limits in objectives.routes.items():
        # What a scenario's users do not ask for has no figures to hold against anything.
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
    """What was lost, outcome by outcome; empty where nothing was."""
    counts = statistics.outcomes(records)
    return ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in Outcome if counts[outcome] and outcome != "ok")
