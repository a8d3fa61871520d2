"""Each check of a shutdown drill: at its limit, just beyond it, and without its evidence."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from drydock.analysis.audit import AuditResult
from drydock.analysis.disruption_analysis import Analysis
from drydock.analysis.drill_objectives import DrillObjectives
from drydock.analysis.evidence import Evidence
from drydock.judge_client.start_delay import StartDelay
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.runs.verdict import Check, Result
from drydock.system.cpu_pressure import CpuPressure
from drydock.timeline.observation import Observation
from tests.unit.drydock import disrupted
from tests.unit.drydock.disrupted import ACTED, BEGAN, ENDED, GOOD, LEAVING, RECOVERED, REQUESTS, STAYING, request

PASSED, FAILED, UNKNOWN = Result.PASSED, Result.FAILED, Result.UNKNOWN
REFUSED = request(ACTED + 1, Outcome.REFUSED)
SHED = request(ACTED + 1, Outcome.SERVER_ERROR, took=2.0, reason=disrupted.WORKLOAD.no_connection)
WITH_503 = frozenset({503})


def run(lost: Sequence[Record] = (), seen: Sequence[Observation] | None = None, *, count: int = REQUESTS) -> Evidence:
    """A run whose action ends as it begins: differences to it are exact."""
    return replace(disrupted.evidence(lost, seen, count=count), action_ended=ACTED)


def starved(*lost: Record) -> Evidence:
    """The same while the judge's other requests around the action started 60 ms late."""
    found = run(lost)
    late = [
        replace(it, started=it.intended + 0.06) if abs(it.intended - ACTED) < 5 and not it.lost else it
        for it in found.records
    ]
    return replace(found, records=late)


def check_of(name: str, analysis: Analysis) -> Check:
    return next(check for check in analysis.verdict().checks if check.name == name)


def check(name: str, found: Evidence, **objectives: object) -> Check:
    return check_of(name, disrupted.analysis(found, DrillObjectives(**objectives)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "most", "result"),
    [
        (run(), 0, PASSED),
        (run([REFUSED]), 0, FAILED),
        (run([REFUSED] * 2), 2, PASSED),
        (run([REFUSED] * 3), 2, FAILED),
        (starved(SHED), 1, PASSED),
        (starved(SHED), 0, UNKNOWN),
        (starved(SHED, REFUSED), 1, UNKNOWN),
        (starved(SHED, REFUSED, REFUSED), 1, FAILED),
        (run(count=0), 0, FAILED),
        (run(count=0), 5, FAILED),
    ],
    ids=[
        *("none", "one too many", "as many as allowed", "one more than allowed", "explained and allowed"),
        *("explained", "one explained, one allowed", "one explained, one too many", "no request", "no request at all"),
    ],
)
def test_lost_requests(found: Evidence, most: int, result: Result) -> None:
    assert check("requests lost", found, lost=most).result is result


@pytest.mark.parametrize(
    ("after", "limit", "result", "observed"),
    [
        (3.0, 3, PASSED, "the last one 3.0 s after it"),
        (3.125, 3, FAILED, "the last one 3.1 s after it"),
        (0.0, 0, PASSED, "the last one 0.0 s after it"),
        (0.125, 0, FAILED, "the last one 0.1 s after it"),
        (-2.0, 3, PASSED, "the last one 0.0 s after it"),
    ],
)
def test_the_last_loss_of_a_kill(after: float, limit: float, result: Result, observed: str) -> None:
    found = check("the loss ends in time", run([request(ACTED + after, Outcome.REFUSED)]), lost=9, loss_seconds=limit)

    assert (found.result, found.observed) == (result, observed)


def test_the_last_loss_of_a_kill_is_the_latest_and_no_excepted_one() -> None:
    excepted = request(ACTED + 20, Outcome.SERVER_ERROR)
    limits = {"lost": 9, "loss_seconds": 3, "allowed": WITH_503}

    assert check("the loss ends in time", run([excepted]), **limits).observed == "no loss"
    assert check("the loss ends in time", run([REFUSED, excepted]), **limits).result is PASSED
    assert check("the loss ends in time", run([REFUSED, request(ACTED + 4, Outcome.RESET)]), **limits).result is FAILED


@pytest.mark.parametrize(("count", "result"), [(REQUESTS - 1, FAILED), (REQUESTS, PASSED), (REQUESTS + 1, PASSED)])
def test_the_number_of_requests(count: int, result: Result) -> None:
    assert check("enough requests", run(count=count)).result is result


@pytest.mark.parametrize(
    ("recovered", "result", "observed"),
    [(None, FAILED, "not observed"), (RECOVERED, PASSED, "12.0 s after the action"), (0.0, PASSED, "-1000.0 s after")],
)
def test_the_recovery(recovered: float | None, result: Result, observed: str) -> None:
    found = check("the service has recovered", replace(run(), recovered_at=recovered))

    assert found.result is result
    assert found.observed.startswith(observed)


@pytest.mark.parametrize(
    ("lost", "limit", "result"),
    [
        ([request(ACTED + 16, Outcome.SERVER_ERROR, took=4.0)], 20, PASSED),
        ([request(ACTED + 16, Outcome.SERVER_ERROR, took=4.125)], 20, FAILED),
        ([request(ACTED + 16, Outcome.REFUSED, took=4.125)], 20, FAILED),
        ([], 0, PASSED),
        ([request(ACTED + 1, Outcome.SERVER_ERROR, took=0.125)], 0, FAILED),
    ],
    ids=["at the limit", "excepted, but too late", "lost too late", "none", "none may come after the action"],
)
def test_every_request_succeeds_again(lost: list[Record], limit: float, result: Result) -> None:
    found = check("every request succeeds again", run(lost), allowed=WITH_503, recovery_seconds=limit)

    assert found.result is result


def test_without_these_objectives_there_are_no_such_checks() -> None:
    names = {it.name for it in disrupted.analysis().verdict().checks}

    assert not names & {"the loss ends in time", "every request succeeds again"}


TWICE = [
    *disrupted.restart(),
    disrupted.pod(
        ACTED + 20, STAYING, last_ended={"exit_code": 1, "reason": "Error", "finished": disrupted.at(ACTED + 19)}
    ),
    disrupted.pod(ACTED + 21, STAYING, restarts=1),
]


@pytest.mark.parametrize(
    ("seen", "most", "result"),
    [
        (disrupted.deletion(), 0, PASSED),
        (disrupted.restart(), 0, FAILED),
        (disrupted.restart(), 1, PASSED),
        (TWICE, 1, FAILED),
        (TWICE, 2, PASSED),
    ],
)
def test_container_restarts(seen: list[Observation], most: int, result: Result) -> None:
    assert check("container restarts", run(seen=seen), restarts=most).result is result


def without_end(seen: list[Observation]) -> list[Observation]:
    """The same, but the timeline lost sight of the pod before its process ended."""
    return [it for it in seen if it.name != LEAVING or (it.change != "removed" and it.arrived < ACTED + 11)]


def second(seen: list[Observation]) -> list[Observation]:
    """What happened to the leaving pod, of another pod."""
    return [replace(it, name="shop-1-second", uid=f"second {it.uid}") for it in seen if it.name == LEAVING]


EXIT, FITS = "deleted pods exit without SIGKILL", "the shutdown fits the grace period"


@pytest.mark.parametrize(
    ("seen", "kills", "result"),
    [
        (disrupted.deletion(exit_code=0), False, PASSED),
        (disrupted.deletion(exit_code=1), False, PASSED),
        (disrupted.deletion(exit_code=136), False, PASSED),
        (disrupted.deletion(exit_code=137), False, FAILED),
        (disrupted.deletion(exit_code=137), True, PASSED),
        (disrupted.deletion(exit_code=143), False, PASSED),
        (without_end(disrupted.deletion()), False, UNKNOWN),
        (without_end(disrupted.deletion()), True, PASSED),
        ([*disrupted.deletion(exit_code=137), *second(without_end(disrupted.deletion()))], False, FAILED),
        ([*disrupted.deletion(), *second(without_end(disrupted.deletion()))], False, UNKNOWN),
    ],
    ids=[
        *("0", "1", "136", "137", "137 is expected", "143", "not observed", "not observed, and may be anything"),
        *("one killed, one not observed", "one good, one not observed"),
    ],
)
def test_exit_codes(seen: list[Observation], kills: bool, result: Result) -> None:
    assert check(EXIT, run(seen=seen), kills=kills).result is result


def lasting(change: float = 0.0) -> list[Observation]:
    """A deletion whose grace period is as long as it took, and `change` seconds."""
    took = disrupted.analysis(run()).terminations[0].seconds
    assert took is not None
    return disrupted.deletion(grace=took + change)


@pytest.mark.parametrize(
    ("seen", "kills", "result"),
    [
        (lasting(), False, PASSED),
        (lasting(-0.125), False, FAILED),
        (lasting(-0.125), True, PASSED),
        (without_end(disrupted.deletion()), False, UNKNOWN),
        (without_end(disrupted.deletion()), True, PASSED),
        (disrupted.deletion(grace=None), False, UNKNOWN),  # type: ignore[arg-type]
        ([*lasting(-0.125), *second(without_end(disrupted.deletion()))], False, FAILED),
        ([*lasting(), *second(without_end(disrupted.deletion()))], False, UNKNOWN),
        ([*lasting(), *second(lasting(-0.125))], False, FAILED),
    ],
    ids=[
        *("exactly the grace period", "longer", "longer, as expected", "no end", "no end, and may be killed"),
        *("no grace period", "one too long, one not observed", "one fits, one not observed", "one of two too long"),
    ],
)
def test_the_grace_period(seen: list[Observation], kills: bool, result: Result) -> None:
    assert check(FITS, run(seen=seen), kills=kills).result is result


def test_without_a_deleted_pod_nothing_is_claimed_of_deleted_pods() -> None:
    names = {it.name for it in disrupted.analysis(run(seen=disrupted.restart())).verdict().checks}

    assert not names & {EXIT, FITS}


@pytest.mark.parametrize(
    ("sent", "p99", "result"),
    [(REQUESTS, 100.0, PASSED), (REQUESTS, 100.1, UNKNOWN), (1, 0.0, PASSED), (0, 0.0, UNKNOWN)],
    ids=["at the limit", "beyond it", "one request", "no request"],
)
def test_the_punctuality_of_the_judge(sent: int, p99: float, result: Result) -> None:
    analysis = disrupted.analysis(start_delay=StartDelay(late=0, sent=sent, p99_ms=p99))

    assert check_of("the judge kept up", analysis).result is result


@pytest.mark.parametrize(("dropped", "result"), [(0, PASSED), (1, UNKNOWN)])
def test_the_timeline(dropped: int, result: Result) -> None:
    analysis = disrupted.analysis(disrupted.evidence(dropped=dropped))

    assert check_of("the timeline is complete", analysis).result is result


@pytest.mark.parametrize(("count", "result"), [(0, PASSED), (1, FAILED), (-1, FAILED), (None, UNKNOWN)])
def test_the_audit(count: int | None, result: Result) -> None:
    analysis = disrupted.analysis(audit=AuditResult({"placed_twice": count}, {}))

    assert check_of("audit: placed twice", analysis).result is result


def test_the_figures_of_a_run() -> None:
    found = replace(run(), clock_skew=0.01249, pressure=CpuPressure(((ACTED, 0.1236),)))

    assert disrupted.analysis(found).verdict().figures == {
        "sent": REQUESTS,
        "lost": 0,
        "allowed": 0,
        "outcome_ok": REQUESTS,
        "requests_per_second": 200.0,
        "action_s": 0.0,
        "recovery_s": 12.0,
        "seconds": 50.0,
        "terminations": 1,
        "slowest_shutdown_s": 10.3,
        "restarts": 0,
        "late": 3,
        "start_error_p99_ms": 4.0,
        "clock_skew_s": 0.012,
        "cpu_pressure": 0.124,
        "lost_without_cpu": 0,
        **GOOD.known,
    }


def test_the_figures_of_losses() -> None:
    excepted = request(ACTED + 10, Outcome.SERVER_ERROR, status=500)
    objectives = DrillObjectives(lost=9, allowed=frozenset({500}))
    figures = disrupted.analysis(starved(SHED, REFUSED, REFUSED, excepted), objectives).verdict().figures

    assert (figures["lost"], figures["allowed"], figures["lost_without_cpu"]) == (3, 1, 1)
    assert (figures["outcome_refused"], figures["outcome_5xx"]) == (2, 2)


def test_figures_that_were_not_observed_are_left_out() -> None:
    figures = disrupted.analysis(replace(run(seen=[]), recovered_at=None)).verdict().figures
    assert figures["clock_skew_s"] == 0

    assert not figures.keys() & {"recovery_s", "cpu_pressure", "outcome_refused"}
    assert (figures["terminations"], figures["slowest_shutdown_s"]) == (0, 0.0)


@pytest.mark.parametrize(("seconds", "rate"), [(0.5, 10_000), (2.0, 5_000), (1.0, 10_000)])
def test_the_rate_of_a_run_shorter_than_a_second_is_that_of_a_second(seconds: float, rate: float) -> None:
    found = replace(run(), started=BEGAN, ended=BEGAN + seconds)

    assert disrupted.analysis(found).verdict().figures["requests_per_second"] == rate


def test_the_pressure_is_that_of_the_run() -> None:
    shares = CpuPressure(((BEGAN - 1, 0.9), (BEGAN, 0.2), (ENDED, 0.4), (ENDED + 2, 0.9)))

    assert disrupted.analysis(replace(run(), pressure=shares)).pressure == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("allowed", "allows"),
    [
        (frozenset({503}), True),
        (frozenset({Outcome.SERVER_ERROR}), True),
        (frozenset({500}), False),
        (frozenset({Outcome.REFUSED}), False),
        (frozenset(), False),
    ],
)
def test_an_objective_allows_an_outcome_or_a_status(allowed: frozenset[Outcome | int], allows: bool) -> None:
    assert DrillObjectives(allowed=allowed).allows(SHED) is allows


def test_an_objective_allows_nothing_by_itself() -> None:
    assert DrillObjectives() == DrillObjectives(0, frozenset(), None, 0, None, kills=False)


@pytest.mark.parametrize(
    ("name", "objectives", "text"),
    [
        ("requests lost", DrillObjectives(), "0"),
        ("requests lost", DrillObjectives(lost=1), "at most 1"),
        ("requests lost", DrillObjectives(allowed=WITH_503), "0, except 503 from the action on"),
        ("container restarts", DrillObjectives(), "0"),
        ("container restarts", DrillObjectives(restarts=1), "at most 1"),
    ],
)
def test_a_check_states_what_it_expects(name: str, objectives: DrillObjectives, text: str) -> None:
    assert check_of(name, disrupted.analysis(objectives=objectives)).expected == text
