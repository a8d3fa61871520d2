"""The account of a shutdown drill: what is lost, why, and what the verdict makes of it."""

from dataclasses import replace

import pytest

from drydock.analysis.audit import AuditResult
from drydock.analysis.disruption_analysis import Analysis
from drydock.analysis.drill_objectives import DrillObjectives
from drydock.analysis.evidence import Evidence
from drydock.analysis.pod_terminations import MARKS, terminations
from drydock.judge_client.start_delay import StartDelay
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.runs.verdict import Check, Result
from tests.unit.drydock import disrupted
from tests.unit.drydock.disrupted import ACTED, COMING, LEAVING, RECOVERED, STAYING, evidence, request


def test_a_pod_that_leaves_in_good_order_has_every_mark_and_they_come_in_order() -> None:
    [termination] = terminations(evidence())

    assert termination.pod == LEAVING
    assert termination.marks.keys() == MARKS.keys()
    way = [
        "deleted",
        "endpoint_out",
        "sigterm",
        "drained",
        "pool_closed",
        "telemetry_flushed",
        "stopped",
        "ended",
        "gone",
    ]
    assert [termination.marks[name] for name in way] == sorted(termination.marks[name] for name in way)
    assert termination.marks["last_in"] < ACTED + 5
    assert (termination.exit_code, termination.reason, termination.grace, termination.spans_lost) == (
        0,
        "Completed",
        45,
        0,
    )
    assert termination.seconds == pytest.approx(10.3, abs=0.1)


def test_the_last_request_to_a_leaving_pod_is_stated_for_new_and_kept_connections() -> None:
    late = [
        request(ACTED + 6.1, pod=LEAVING, connection=80_000),
        request(ACTED + 8.1, pod=LEAVING, connection=80_001, lane="kept", position=3),
        request(ACTED + 9.1, pod=STAYING, connection=80_002),
    ]

    found = disrupted.analysis(evidence(late)).as_json()["arrivals"]

    assert found == {
        LEAVING: {
            "last_new_after_deletion_s": pytest.approx(6.0),
            "last_kept_after_deletion_s": pytest.approx(8.0),
            "last_new_after_sigterm_s": pytest.approx(1.0),
            "last_kept_after_sigterm_s": pytest.approx(3.0),
        }
    }


def test_a_pod_that_died_before_the_action_is_not_part_of_it() -> None:
    early = [replace(seen, arrived=seen.arrived - 100) for seen in disrupted.deletion()]

    assert terminations(evidence(seen=early)) == []


def test_a_container_that_is_started_again_is_a_departure_with_its_exit_code() -> None:
    [termination] = terminations(evidence(seen=disrupted.restart()))

    assert termination.restarted
    assert termination.killed
    assert termination.marks["ended"] == pytest.approx(ACTED + 0.5)


def test_a_container_that_is_started_again_twice_has_each_time_its_own_last_words() -> None:
    ended = {"exit_code": 0, "reason": "Completed", "finished": disrupted.at(ACTED + 31)}
    again = [
        disrupted.line(ACTED + 0.2, LEAVING, "draining"),
        disrupted.line(ACTED + 26, LEAVING, "draining"),
        disrupted.pod(ACTED + 32, LEAVING, last_ended=ended, restarts=2),
    ]

    first, second = terminations(evidence(seen=[*disrupted.restart(), *again]))

    assert (first.marks["sigterm"], second.marks["sigterm"]) == (ACTED + 0.2, ACTED + 26)


def test_a_run_without_a_loss_passes_every_check() -> None:
    verdict = disrupted.analysis().verdict()

    assert verdict.passed, verdict.failed
    assert verdict.summary == "0 of 10,000 requests lost (at most 0.03 % with 95 % confidence)"
    assert verdict.figures["sent"] == 10_000
    assert verdict.figures["slowest_shutdown_s"] == pytest.approx(10.3, abs=0.1)


REFUSED = request(ACTED + 10.6, Outcome.REFUSED)
EARLY = request(ACTED - 5, Outcome.SERVER_ERROR)
LATE = request(ACTED + 30, Outcome.SERVER_ERROR)
WITH_5XX = DrillObjectives(allowed=frozenset({503}), recovery_seconds=20)
KILLED, TOO_SLOW = disrupted.deletion(exit_code=137), disrupted.deletion(grace=8)
MISSING = AuditResult({"acknowledged_but_missing": 1}, {})
BEHIND = StartDelay(late=150, sent=10_000, p99_ms=101.0)
BAD = [
    ("requests lost", disrupted.analysis(evidence([REFUSED]))),
    ("requests lost", disrupted.analysis(evidence([REFUSED] * 3), DrillObjectives(lost=2))),
    ("requests lost", disrupted.analysis(evidence([EARLY]), WITH_5XX)),
    ("enough requests", disrupted.analysis(evidence(count=9_999))),
    ("the service has recovered", disrupted.analysis(evidence(recovered=None))),
    ("every request succeeds again", disrupted.analysis(evidence([LATE]), WITH_5XX)),
    ("container restarts", disrupted.analysis(evidence(seen=disrupted.restart()))),
    ("deleted pods exit without SIGKILL", disrupted.analysis(evidence(seen=KILLED))),
    ("the shutdown fits the grace period", disrupted.analysis(evidence(seen=TOO_SLOW))),
    ("audit: acknowledged but missing", disrupted.analysis(audit=MISSING)),
    ("readiness falls", disrupted.analysis(extra=[Check("readiness falls", False, "yes", "no")])),
]


@pytest.mark.parametrize(("check", "analysis"), BAD, ids=[f"{number} {it[0]}" for number, it in enumerate(BAD)])
def test_each_check_can_fail_and_then_fails_alone(check: str, analysis: Analysis) -> None:
    verdict = analysis.verdict()

    assert [failed.name for failed in verdict.failed] == [check]
    assert check in verdict.summary


NO_EXIT = [
    it for it in disrupted.deletion() if it.name != LEAVING or (it.change != "removed" and it.arrived < ACTED + 11)
]
BUSY = [replace(it, started=it.intended + 0.06) for it in disrupted.answered() if abs(it.intended - ACTED) < 5]
SHED = request(ACTED + 1, Outcome.SERVER_ERROR, took=2.0, reason=disrupted.WORKLOAD.no_connection)


def on_a_busy_machine(*lost: Record) -> Evidence:
    """The run while the judge's requests around the action started 60 ms late."""
    found = evidence(lost)
    busy = {it.intended: it for it in BUSY}
    return replace(found, records=[busy.get(it.intended, it) if not it.lost else it for it in found.records])


UNKNOWN = [
    (["requests lost"], on_a_busy_machine(SHED)),
    (["deleted pods exit without SIGKILL", "the shutdown fits the grace period"], evidence(seen=NO_EXIT)),
    (["the timeline is complete"], evidence(dropped=1)),
]


@pytest.mark.parametrize(("checks", "found"), UNKNOWN, ids=[it[0][-1] for it in UNKNOWN])
def test_what_was_not_observed_is_unknown_and_never_passes(checks: list[str], found: Evidence) -> None:
    verdict = disrupted.analysis(found).verdict()

    assert [check.name for check in verdict.unknown] == checks
    assert (verdict.result, verdict.passed, verdict.failed) == (Result.UNKNOWN, False, [])
    assert f"unknown: {', '.join(checks)}" in verdict.summary


def test_a_judge_that_was_late_is_no_evidence() -> None:
    verdict = disrupted.analysis(start_delay=BEHIND).verdict()

    assert verdict.result is Result.UNKNOWN
    assert [check.name for check in verdict.unknown] == ["the judge kept up"]


@pytest.mark.parametrize(
    ("lost", "explained"),
    [
        (SHED, 1),
        (request(ACTED - 3, Outcome.TIMED_OUT, took=10), 1),
        (replace(SHED, intended=ACTED + 10, started=ACTED + 10), 0),
        (REFUSED, 0),
        (request(ACTED + 1, Outcome.RESET), 0),
        (request(ACTED + 1, Outcome.SERVER_ERROR, status=500), 0),
    ],
    ids=["shed", "not answered", "shed after the machine was busy", "refused", "reset", "500"],
)
def test_a_machine_without_cpu_explains_slow_answers_and_nothing_else(lost: Record, explained: int) -> None:
    analysis = disrupted.analysis(on_a_busy_machine(lost))

    assert len(analysis.explained) == explained
    assert analysis.verdict().result is (Result.UNKNOWN if explained else Result.FAILED)


def test_losses_that_the_machine_does_not_explain_still_fail() -> None:
    analysis = disrupted.analysis(on_a_busy_machine(SHED, REFUSED))

    assert len(analysis.explained) == 1
    assert analysis.verdict().result is Result.FAILED


def test_a_failed_check_outweighs_an_unknown_one() -> None:
    verdict = disrupted.analysis(evidence([REFUSED], dropped=1)).verdict()

    assert verdict.result is Result.FAILED
    assert [check.name for check in verdict.failed] == ["requests lost"]


def test_an_allowed_status_allows_no_other() -> None:
    out = [request(ACTED + 2, Outcome.SERVER_ERROR, status=status) for status in (503, 500, 502)]

    verdict = disrupted.analysis(evidence(out), WITH_5XX).verdict()

    assert (verdict.figures["lost"], verdict.figures["allowed"]) == (2, 1)


@pytest.mark.parametrize(("after", "passes"), [(2.9, True), (3.1, False)])
def test_a_loss_that_is_allowed_for_a_while_must_end(after: float, passes: bool) -> None:
    acted = evidence().action_ended
    lost = evidence([request(acted + after, Outcome.REFUSED)])
    verdict = disrupted.analysis(lost, DrillObjectives(lost=100, loss_seconds=3)).verdict()

    assert verdict.passed is passes
    assert [check.name for check in verdict.failed] == ([] if passes else ["the loss ends in time"])


def test_what_the_hypothesis_expects_is_counted_beside_what_is_lost() -> None:
    out = [request(ACTED + 2, Outcome.SERVER_ERROR), request(ACTED + 3, Outcome.SERVER_ERROR)]
    objectives = DrillObjectives(allowed=frozenset({503}), recovery_seconds=20)

    verdict = disrupted.analysis(evidence(out), objectives).verdict()

    assert verdict.passed, verdict.failed
    assert (verdict.figures["lost"], verdict.figures["allowed"]) == (0, 2)
    assert verdict.summary.startswith(
        "0 of 10,002 requests lost (at most 0.03 % with 95 % confidence), 2 lost as the hypothesis expects"
    )


def test_the_account_names_every_loss_with_its_cause() -> None:
    content = disrupted.analysis(evidence([REFUSED, REFUSED])).as_json()

    assert (content["sent"], content["lost"], content["causes"]) == (10_002, 2, {"refused-after-endpoint-removal": 2})
    assert [loss["cause"] for loss in content["losses"]] == ["refused-after-endpoint-removal"] * 2
    assert content["terminations"][0]["pod"] == LEAVING


def test_the_evidence_knows_which_pods_were_there() -> None:
    found: Evidence = evidence()

    assert found.endpoints[-1][1] == {STAYING, COMING}
    assert found.recovered_at == RECOVERED
