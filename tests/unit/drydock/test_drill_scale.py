"""The scaling drill's clock and verdict, on a recorded run, and on that run with one thing gone wrong."""

from dataclasses import replace
from typing import Any

import pytest

from drydock.analysis.scaling import marks, shares
from drydock.analysis.scaling.scaling_evidence import ScalingEvidence
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.runs.verdict import Verdict
from tests.unit.drydock.recorded_drill import (
    NO_VIOLATION,
    OBJECTIVES,
    evidence,
    judged,
    with_autoscaler,
    with_observations,
    with_records,
)

IN_ORDER = (marks.RATE_OVER, marks.VISIBLE, marks.DESIRED, marks.SCHEDULED, marks.STARTED, marks.READY, marks.SERVED)


def failed(verdict: Verdict) -> dict[str, str]:
    return {check.name: check.observed for check in verdict.failed}


def test_the_recorded_run_passes_with_every_mark() -> None:
    verdict = judged().verdict()

    assert not failed(verdict)
    assert verdict.passed
    assert verdict.figures["lost"] == 0
    assert verdict.figures["sent"] == len(evidence().records)


def test_its_marks_are_in_the_order_in_which_things_happen() -> None:
    seconds = [judged().seconds(name) for name in IN_ORDER]

    assert None not in seconds
    assert seconds == sorted(float(it or 0) for it in seconds)
    assert judged().seconds(marks.LOAD_OFF) == pytest.approx(float(OBJECTIVES.load["step_seconds"]), abs=3)


def test_every_mark_names_its_source() -> None:
    assert all(mark.source and mark.title for mark in judged().marks)


@pytest.mark.parametrize(("after", "part"), [(-10, "in the steady state"), (10, "under load"), (120, "after load off")])
def test_one_lost_request_fails_the_drill_and_says_how_and_when(after: float, part: str) -> None:
    victim = min(evidence().records, key=lambda record: abs(record.started - evidence().step - after))

    verdict = judged(
        with_records(lambda record: replace(record, outcome=Outcome.RESET) if record is victim else record)
    )

    assert failed(verdict.verdict()) == {"no request is lost": f"1 of {len(evidence().records):,}: 1 reset {part}"}


def test_a_run_without_requests_shows_nothing() -> None:
    assert "no request is lost" in failed(judged(replace(evidence(), records=())).verdict())


@pytest.mark.parametrize("violation", NO_VIOLATION)
def test_what_the_audit_finds_fails_the_drill(violation: str) -> None:
    verdict = judged(violations={**NO_VIOLATION, violation: 1}).verdict()

    assert failed(verdict) == {f"audit: {violation.replace('_', ' ')}": "1"}


def test_an_autoscaler_that_goes_on_wanting_two_is_named_by_the_mark_that_never_came() -> None:
    found = judged(with_autoscaler(lambda _, state: {**state, "desired": 2})).verdict()

    assert "the desired replicas rise (the desired replicas stayed at 2)" in failed(found)["every mark is reached"]


def test_pods_that_a_rollout_had_before_the_load_do_not_count() -> None:
    found = evidence()
    slices = [seen for seen in found.history.observations if seen.kind == "EndpointSlice"]
    surge = replace(max(slices, key=lambda seen: len(seen.state["endpoints"])), arrived=0.0)
    kept = [seen for seen in found.history.observations if seen not in slices or seen.arrived <= found.step]
    verdict = judged(with_observations([surge, *kept])).verdict()

    [enough] = [check for check in verdict.checks if check.name == "enough pods are ready under load"]
    assert (enough.passed, enough.observed) == (False, "2")


def test_pods_that_come_too_late_fail_the_drill() -> None:
    late = [
        replace(seen, arrived=seen.arrived + 30) if is_new(evidence(), seen.name) else seen
        for seen in evidence().history.observations
    ]
    verdict = judged(with_observations(sorted(late, key=lambda seen: seen.arrived))).verdict()

    assert "the first new pod is ready in time" in failed(verdict)


def test_a_first_pod_between_target_and_limit_passes_with_a_note() -> None:
    objectives = OBJECTIVES.model_copy(update={"first_ready_target_seconds": 1})
    verdict = replace(judged(), objectives=objectives).verdict()

    assert verdict.passed
    assert "the target is 1 s" in verdict.warnings[0]


def test_a_change_of_mind_under_load_is_flapping() -> None:
    def hesitates(seconds: float, state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "desired": state["desired"] - 1} if 60 < seconds < 75 else state

    assert "the desired replicas never fall under load" in failed(judged(with_autoscaler(hesitates)).verdict())


def test_more_pods_after_load_off_are_flapping() -> None:
    off = judged().seconds(marks.LOAD_OFF) or 0

    def rises(seconds: float, state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "desired": 6} if off + 1 < seconds < off + 30 else state

    assert "the desired replicas never rise after load off" in failed(judged(with_autoscaler(rises)).verdict())


def test_a_pod_that_hoards_the_load_is_out_of_the_band() -> None:
    favourite = sorted(evidence().endpoints[-1][1])[0]

    def hoards(record: Record) -> Record:
        return replace(record, pod=favourite) if record.pod in evidence().old_pods else record

    assert "the ready pods share the load" in failed(judged(with_records(hoards)).verdict())


def test_the_shares_are_of_the_pods_that_were_ready_to_the_end_of_the_load() -> None:
    spread = shares.at_the_top(evidence())

    assert spread is not None
    assert len(spread.shares) >= OBJECTIVES.pods
    assert sum(spread.shares.values()) == pytest.approx(len(spread.shares))


def test_a_latency_that_stays_over_its_objective_has_no_mark() -> None:
    slow = judged(with_records(lambda record: replace(record, seconds=record.seconds + 1)))
    mark = next(it for it in slow.marks if it.name == marks.LATENCY_BACK)

    assert mark.missing
    assert "never within it" in mark.note


def test_scale_in_that_does_not_come_to_an_end_is_named() -> None:
    kept = [seen for seen in evidence().history.observations if not (seen.kind == "Pod" and seen.change == "removed")]
    observed = failed(judged(with_observations(kept)).verdict())["every mark is reached"]

    assert "there were" in observed
    assert "pods at the end" in observed


def is_new(found: ScalingEvidence, pod: str) -> bool:
    """Whether a pod came after the step."""
    return pod.startswith(f"{found.workload.deployment}-") and pod not in found.old_pods
