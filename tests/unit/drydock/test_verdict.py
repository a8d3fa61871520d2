"""The verdict of a run: failed outweighs unknown, and unknown never passes."""

import json

import pytest

from drydock.core.errors import FailedError, InconclusiveError
from drydock.runs.verdict import Check, Result, Verdict, amiss, result_of

GOOD, BAD, OPEN = (Check(name, passed, "", "") for name, passed in (("good", True), ("bad", False), ("open", None)))


def verdict(*checks: Check) -> Verdict:
    return Verdict("rollout", "drill", "2 of 10 lost", checks, {"lost": 2})


@pytest.mark.parametrize(
    ("checks", "result"),
    [
        ((), Result.PASSED),
        ((GOOD, GOOD), Result.PASSED),
        ((GOOD, OPEN), Result.UNKNOWN),
        ((BAD, GOOD), Result.FAILED),
        ((OPEN, BAD), Result.FAILED),
        ((BAD, OPEN), Result.FAILED),
    ],
)
def test_the_result_is_that_of_the_worst_check(checks: tuple[Check, ...], result: Result) -> None:
    assert result_of(checks) is verdict(*checks).result is result
    assert verdict(*checks).passed is (result is Result.PASSED)


def test_a_verdict_names_what_failed_and_what_is_unknown() -> None:
    found = verdict(OPEN, GOOD, BAD)

    assert (found.failed, found.unknown) == ([BAD], [OPEN])
    assert amiss(found.checks) == "; failed: bad; unknown: open"
    assert amiss([BAD, BAD]) == "; failed: bad, bad"
    assert amiss([GOOD]) == ""


@pytest.mark.parametrize(
    ("check", "error", "code"), [(BAD, FailedError, 1), (OPEN, InconclusiveError, 3)], ids=["failed", "unknown"]
)
def test_a_verdict_that_did_not_pass_ends_the_command(check: Check, error: type[FailedError], code: int) -> None:
    with pytest.raises(FailedError) as raised:
        verdict(GOOD, check).require("open the report")

    assert type(raised.value) is error
    assert (raised.value.exit_code, raised.value.reason, raised.value.remedy) == (
        code,
        "2 of 10 lost",
        "open the report",
    )


def test_a_verdict_that_passed_ends_nothing() -> None:
    verdict(GOOD).require("")


def test_the_file_has_the_result_beside_the_checks() -> None:
    content = json.loads(json.dumps(verdict(GOOD, OPEN).as_json()))

    assert (content["passed"], content["result"]) == (False, "unknown")
    assert [check["passed"] for check in content["checks"]] == [True, None]
