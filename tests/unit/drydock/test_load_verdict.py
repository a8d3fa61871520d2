"""Each check of a load run: at its limit, just beyond it, and without its evidence."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from drydock.load.locust_run import LoadSample
from drydock.load.objectives import LoadObjectives
from drydock.load.verdict import decide
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.runs.verdict import Check, Result, Verdict

ROUTE = "GET /products"
PASSED, FAILED, UNKNOWN = Result.PASSED, Result.FAILED, Result.UNKNOWN


def record(due: float = 0.0, seconds: float = 0.5, outcome: Outcome = Outcome.OK) -> Record:
    status = 200 if outcome is Outcome.OK else 0
    return Record(due, due, seconds, "GET", "/products", status, outcome, "pod", "worker", "")


def sample(**more: Any) -> LoadSample:
    """A report of the master under load."""
    known = {"time": 1.0, "over": False, "users": 5, "sent": 2, "failed": 0, "rate": 0, "p95_ms": 0}
    return LoadSample(**{**known, "outcomes": {}, "pods": {}, **more})


def verdict(
    records: Sequence[Record],
    samples: Sequence[LoadSample] = (sample(),),
    workers: int = 1,
    limits: Mapping[str, float] | None = None,
) -> Verdict:
    objectives = LoadObjectives.model_validate({"overall": limits or {}})
    return decide("steady", records, objectives, samples, workers=workers)


def check(name: str, of: Verdict) -> Check:
    return next(check for check in of.checks if check.name == name)


@pytest.mark.parametrize("quantile", ["p50", "p95", "p99"])
@pytest.mark.parametrize(("limit", "result"), [(500, PASSED), (499.9, FAILED), (500.1, PASSED)])
def test_a_percentile_may_reach_its_limit(quantile: str, limit: float, result: Result) -> None:
    found = verdict([record(0), record(1)], limits={f"{quantile}_ms": limit})

    assert check(f"all {quantile}", found).result is result


@pytest.mark.parametrize("quantile", ["p50", "p95", "p99"])
def test_without_a_complete_answer_there_is_no_percentile_to_pass(quantile: str) -> None:
    found = check(f"all {quantile}", verdict([record(outcome=Outcome.RESET)], limits={f"{quantile}_ms": 500}))

    assert (found.result, found.observed) == (FAILED, "none")


@pytest.mark.parametrize(
    ("lost", "limit", "result", "expected"),
    [
        (1, 0.25, PASSED, "at most 25 %"),
        (1, 0.2499, FAILED, "at most 24.99 %"),
        (0, 0, PASSED, "at most 0 %"),
        (1, 0, FAILED, "at most 0 %"),
        (0, 0.0000003, PASSED, "at most 0.00003 %"),
    ],
)
def test_the_share_of_errors_may_reach_its_limit(lost: int, limit: float, result: Result, expected: str) -> None:
    sent = [record(time) for time in range(4 - lost)] + [record(9, outcome=Outcome.RESET)] * lost
    found = check("all error ratio", verdict(sent, limits={"error_ratio": limit}))

    assert (found.result, found.expected, found.observed) == (result, expected, f"{lost} of 4")


@pytest.mark.parametrize(("limit", "result"), [(2, PASSED), (2.01, FAILED), (1.99, PASSED), (0, PASSED)])
def test_the_rate_may_fall_to_its_limit(limit: float, result: Result) -> None:
    """Three good answers in 1.5 s."""
    found = verdict([record(0), record(0.5), record(1)], limits={"min_rate": limit})

    assert check("all rate", found).result is result


def test_a_run_without_an_objective_has_no_such_check() -> None:
    assert [it.name for it in verdict([record()]).checks] == [
        *("every worker stays until the end", "every request has a record", "the run is complete")
    ]


@pytest.mark.parametrize(("count", "passes"), [(0, False), (1, True)])
def test_a_run_needs_a_request(count: int, passes: bool) -> None:
    found = verdict([record()] * count, [sample(sent=count)])

    assert found.passed is passes
    assert [it.name for it in found.failed] == ([] if passes else ["requests"])


IDLE = sample(users=0, workers=0)


@pytest.mark.parametrize(
    ("samples", "result", "observed"),
    [
        ([sample(workers=2)], PASSED, "2"),
        ([sample(workers=3)], PASSED, "3"),
        ([sample(workers=2), sample(workers=1), sample(workers=2)], FAILED, "1"),
        ([sample(users=1, workers=1)], FAILED, "1"),
        ([sample(workers=2), IDLE], PASSED, "2"),
        ([IDLE], UNKNOWN, "not observed"),
        ([], UNKNOWN, "not observed"),
    ],
    ids=["both", "more", "one dies", "one from the start", "they end after the load", "no load seen", "nothing seen"],
)
def test_every_worker_stays_under_load(samples: list[LoadSample], result: Result, observed: str) -> None:
    found = check("every worker stays until the end", verdict([record()], samples, workers=2))

    assert (found.result, found.observed) == (result, observed)


@pytest.mark.parametrize(
    ("samples", "result", "observed"),
    [
        ([sample(sent=2)], PASSED, "2 of 2"),
        ([sample(sent=1), sample(sent=2)], PASSED, "2 of 2"),
        ([sample(sent=3)], FAILED, "2 of 3"),
        ([sample(sent=1)], FAILED, "2 of 1"),
        ([], FAILED, "2 of 0"),
    ],
)
def test_every_request_has_a_record(samples: list[LoadSample], result: Result, observed: str) -> None:
    found = check("every request has a record", verdict([record(0), record(1)], samples))

    assert (found.result, found.observed) == (result, observed)


@pytest.mark.parametrize(("busy", "warned"), [(90.0, False), (90.1, True), (0.0, False)])
def test_a_load_generator_above_90_percent_of_a_core_is_a_warning(busy: float, warned: bool) -> None:
    found = verdict([record()], [sample(cpu_percent=busy), sample(cpu_percent=1)])

    assert bool(found.warnings) is warned


def test_the_figures_have_three_decimals() -> None:
    found = verdict([record(0, 1.0), record(1, 2.0, Outcome.RESET), record(0, 0.00049)])

    assert found.figures["all count"] == 3
    assert found.figures["all lost"] == 1
    assert found.figures["all rate"] == 0.667
    assert found.figures["all p50"] == 0.5
