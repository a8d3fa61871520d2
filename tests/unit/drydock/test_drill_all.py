"""The table of `drydock drill all`: a negative control must fail the check that it is for."""

import pytest

from drydock.core.errors import FailedError, InconclusiveError
from drydock.drills import all as every
from drydock.drills import soak
from drydock.drills.disruption import OWN_CONTROL
from drydock.drills.drill_catalogue import DISRUPTIONS
from drydock.runs.verdict import Check, Verdict
from drydock.targets.local import LocalTarget
from tests.unit.drydock.recorded_drill import PROJECT

SETTINGS = PROJECT.configuration.drills.disruptions
KINDS = {kind.title: kind for kind in DISRUPTIONS}


def verdict(**results: bool | None) -> Verdict:
    checks = [Check(name.replace("_", " "), passed, "", "") for name, passed in results.items()]
    return Verdict("rollout", "drill", "", checks, {})


@pytest.mark.parametrize(
    ("seen", "result", "as_expected"),
    [
        (verdict(requests_lost=False), "failed, as it must", True),
        (verdict(requests_lost=True), "passed, but not by 'requests lost'", False),
        (verdict(requests_lost=True, the_judge_kept_up=False), "failed, but not by 'requests lost'", False),
        (verdict(requests_lost=None), "inconclusive", False),
    ],
)
def test_a_control_is_as_expected_only_if_its_own_check_failed(seen: Verdict, result: str, as_expected: bool) -> None:
    drill = KINDS["rollout"](SETTINGS, against=OWN_CONTROL)

    assert every._result(drill, seen) == (result, as_expected)


@pytest.mark.parametrize(("passed", "as_expected"), [(True, True), (False, False), (None, False)])
def test_a_drill_is_as_expected_only_if_it_passed(passed: bool | None, as_expected: bool) -> None:
    drill = KINDS["rollout"](SETTINGS)

    assert every._result(drill, verdict(requests_lost=passed))[1] is as_expected


OK, BAD, OPEN = (every.DrillResult(it, it, as_expected=it == "passed") for it in ("passed", "failed", "inconclusive"))


@pytest.mark.parametrize(("lines", "error"), [([OK, OPEN], InconclusiveError), ([OPEN, BAD, OK], FailedError)])
def test_one_failed_run_outweighs_the_inconclusive_ones(
    lines: list[every.DrillResult], error: type[FailedError]
) -> None:
    with pytest.raises(FailedError) as raised:
        every.show(lines)

    assert type(raised.value) is error


def test_expected_results_raise_nothing() -> None:
    every.show([OK, OK])


def test_a_soak_repeats_the_drills_that_may_lose_nothing() -> None:
    drills = {drill.title for drill in soak.lossless(LocalTarget(PROJECT), SETTINGS)}

    assert drills >= {"rollout", "delete-pod", "scale-in", "slow-start"}
    assert not drills & {"kill-hard", "db-outage", "db-restart", "block-loop", "drain-node"}


def test_a_soak_adds_up_what_was_sent_and_lost() -> None:
    lines = [every.DrillResult("rollout", "passed", as_expected=True, figures={"sent": 50_000, "lost": 0})] * 2
    lines.append(every.DrillResult("rollout", "could not run", as_expected=False))

    assert soak.summary(lines) == "So far, 2 runs: 0 of 100,000 requests lost (at most 0.003 % with 95 % confidence)"


def test_a_soak_in_which_no_drill_could_run_states_no_bound() -> None:
    lines = [every.DrillResult("rollout", "could not run", as_expected=False)]

    assert soak.summary(lines) == "So far, 0 runs: no request was sent"
