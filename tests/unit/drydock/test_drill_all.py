"""The table of `drydock drill all`: a negative control must fail the check that it is for."""

import pytest

from drydock.drills import all as every
from drydock.drills.disruption import OWN_CONTROL
from drydock.drills.drill_catalogue import DISRUPTIONS
from drydock.runs.verdict import Check, Verdict
from tests.unit.drydock.recorded_drill import PROJECT

SETTINGS = PROJECT.configuration.drills.disruptions
KINDS = {kind.title: kind for kind in DISRUPTIONS}
LOST, LATE = "requests lost", "the judge kept up"


def verdict(**results: bool | None) -> Verdict:
    checks = [Check(name.replace("_", " "), passed, "", "") for name, passed in results.items()]
    return Verdict("rollout", "drill", "", checks, {})


@pytest.mark.parametrize(
    ("seen", "result", "as_expected"),
    [
        (verdict(requests_lost=False), "failed, as it must", True),
        (verdict(requests_lost=True), "passed, but not by 'requests lost'", False),
        (verdict(requests_lost=True, the_judge_kept_up=False), "failed, but not by 'requests lost'", False),
        (verdict(requests_lost=None), "unknown, but not by 'requests lost'", False),
    ],
)
def test_a_control_is_as_expected_only_if_its_own_check_failed(seen: Verdict, result: str, as_expected: bool) -> None:
    drill = KINDS["rollout"](SETTINGS, against=OWN_CONTROL)

    assert every._result(drill, seen) == (result, as_expected)


@pytest.mark.parametrize(("passed", "as_expected"), [(True, True), (False, False), (None, False)])
def test_a_drill_is_as_expected_only_if_it_passed(passed: bool | None, as_expected: bool) -> None:
    drill = KINDS["rollout"](SETTINGS)

    assert every._result(drill, verdict(requests_lost=passed))[1] is as_expected
