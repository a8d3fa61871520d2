"""Each check of the scaling drill: at its limit, just beyond it, at the edges of the load, and without its evidence."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from drydock.analysis.scaling import shares
from drydock.analysis.scaling.scaling_analysis import phase
from drydock.analysis.scaling.shares import Spread
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.runs.verdict import Result
from drydock.timeline.history import Restart
from drydock.timeline.observation import Observation
from tests.unit.drydock.disrupted import endpoints
from tests.unit.drydock.scaled import (
    FOUR,
    OFF,
    ONE,
    STEP,
    THREE,
    TWO,
    analysis,
    check,
    evidence,
    hpa,
    pod,
    request,
)

PASSED, FAILED, UNKNOWN = Result.PASSED, Result.FAILED, Result.UNKNOWN
ALL = (ONE, TWO, THREE, FOUR)


@pytest.mark.parametrize(
    ("records", "result", "observed"),
    [
        ([], FAILED, "0 of 0"),
        ([request(150)], PASSED, "0 of 1"),
        ([request(150), request(150, outcome=Outcome.RESET)], FAILED, "1 of 2: 1 reset under load"),
    ],
)
def test_lost_requests(records: list[Record], result: Result, observed: str) -> None:
    found = check("no request is lost", evidence(records=records))

    assert (found.result, found.observed) == (result, observed)


@pytest.mark.parametrize(
    ("started", "part"),
    [
        (STEP - 0.125, "in the steady state"),
        (STEP, "under load"),
        (OFF, "under load"),
        (OFF + 0.125, "after load off"),
    ],
)
def test_the_phase_of_a_request(started: float, part: str) -> None:
    assert phase(evidence(), request(started + 0.25)) == part


@pytest.mark.parametrize(
    ("seen", "pods", "result", "observed"),
    [
        ([endpoints(150, *ALL)], 4, PASSED, "4"),
        ([endpoints(150, *ALL)], 5, FAILED, "4"),
        ([endpoints(150, *ALL), endpoints(160, ONE)], 4, PASSED, "4"),
        ([endpoints(OFF, *ALL)], 4, PASSED, "4"),
        ([endpoints(OFF + 1, *ALL)], 4, FAILED, "2"),
        ([endpoints(95, *ALL)], 4, PASSED, "4"),
        ([endpoints(95, *ALL), endpoints(STEP, ONE, TWO)], 4, FAILED, "2"),
        ([], 2, PASSED, "2"),
    ],
    ids=[
        *("enough", "one too few", "for a while", "at load off", "after it", "all the time", "only before the step"),
        "no change",
    ],
)
def test_ready_pods_under_load(seen: list[Observation], pods: int, result: Result, observed: str) -> None:
    found = check("enough pods are ready under load", evidence(*seen), pods=pods)

    assert (found.result, found.observed) == (result, observed)


def test_without_an_endpoint_no_pod_was_ready() -> None:
    found = check("enough pods are ready under load", evidence(before=[hpa(90)]), pods=2)

    assert (found.result, found.observed) == (FAILED, "0")


@pytest.mark.parametrize(
    ("arrived", "result", "warned"),
    [(120.0, PASSED, False), (120.125, PASSED, True), (135.0, PASSED, True), (135.125, FAILED, True)],
    ids=["at the target", "over it", "at the limit", "beyond it"],
)
def test_the_first_new_pod(arrived: float, result: Result, warned: bool) -> None:
    verdict = analysis(evidence(pod(arrived, THREE, ready=119))).verdict()
    found = next(it for it in verdict.checks if it.name == "the first new pod is ready in time")

    assert found.result is result
    assert bool(verdict.warnings) is warned


def test_a_new_pod_that_is_never_ready_is_late() -> None:
    found = check("the first new pod is ready in time", evidence())

    assert (found.result, found.observed) == (FAILED, "never")


UP = hpa(110, 3), pod(111, THREE, "added")


@pytest.mark.parametrize(
    ("back", "result", "observed"),
    [(260.0, PASSED, "60.0 s"), (260.125, FAILED, "60.1 s"), (230.0, PASSED, "30.0 s"), (None, FAILED, "never")],
)
def test_the_way_back_to_the_minimum(back: float | None, result: Result, observed: str) -> None:
    gone = [] if back is None else [pod(back, THREE, "removed")]
    found = check("the pods are back at the minimum in time", evidence(*UP, hpa(220, 2), *gone))

    assert (found.result, found.observed) == (result, observed)


def test_without_the_end_of_the_load_there_is_no_way_back() -> None:
    found = evidence(*UP, hpa(220, 2), pod(230, THREE, "removed"), load_off=None)

    assert check("the pods are back at the minimum in time", found).result is FAILED


def answers(**counts: int) -> list[Record]:
    """Requests that the pods answered in the middle of the last period."""
    names = {"one": ONE, "two": TWO, "three": THREE, "four": FOUR}
    return [request(180, of=names[name]) for name, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize(
    ("counts", "result", "observed"),
    [
        ({"one": 8, "two": 8}, PASSED, "1.00 to 1.00 over 2 pods"),
        ({"one": 10, "two": 6}, PASSED, "0.75 to 1.25 over 2 pods"),
        ({"one": 11, "two": 5}, FAILED, "0.62 to 1.38 over 2 pods"),
        ({"one": 16}, FAILED, "0.00 to 2.00 over 2 pods"),
        ({}, FAILED, "0.00 to 0.00 over 2 pods"),
    ],
)
def test_the_shares_of_the_pods(counts: dict[str, int], result: Result, observed: str) -> None:
    found = check("the ready pods share the load", evidence(records=answers(**counts)), share_band=0.25)

    assert (found.result, found.observed) == (result, observed)


def test_one_share_out_of_the_band_is_enough() -> None:
    found = evidence(endpoints(110, ONE, TWO, THREE, FOUR), records=answers(one=8, two=8, three=8, four=4))

    assert check("the ready pods share the load", found, share_band=0.25).result is FAILED


@pytest.mark.parametrize(
    ("seen", "off", "begin"),
    [
        ([], OFF, STEP + 8),
        ([endpoints(150, *ALL)], OFF, 158.0),
        ([endpoints(182, *ALL)], OFF, 190.0),
        ([endpoints(182.125, *ALL)], OFF, None),
        ([endpoints(OFF, *ALL)], OFF, None),
        ([endpoints(OFF + 1, *ALL)], OFF, STEP + 8),
        ([], STEP + 18, STEP + 8),
        ([], STEP + 17.875, None),
        ([endpoints(150)], OFF, None),
    ],
    ids=[
        *("since the step", "since the last change", "the shortest period", "a shorter one", "a change at load off"),
        *("a change after it", "the shortest load", "a shorter load", "no ready pod"),
    ],
)
def test_the_period_of_the_shares(seen: list[Observation], off: float, begin: float | None) -> None:
    found = evidence(*seen, load_off=off)
    spread = shares.at_the_top(found)

    assert (spread and (spread.begin, spread.end)) == (begin and (begin, off))
    assert (check("the ready pods share the load", found).result is UNKNOWN) is (begin is None)


@pytest.mark.parametrize(
    ("record", "counted"),
    [
        (request(108.25, 0.25), 1),
        (request(108.25, 0.375), 0),
        (request(OFF, 0.25), 1),
        (request(OFF + 0.125, 0.25), 0),
        (request(150, of="another"), 0),
    ],
    ids=["sent at its begin", "sent before it", "answered at its end", "answered after it", "by a pod that left"],
)
def test_the_requests_of_the_shares(record: Record, counted: int) -> None:
    spread = shares.at_the_top(evidence(records=[record]))

    assert spread is not None
    assert spread.requests == {ONE: counted, TWO: 0}


def test_a_share_is_a_multiple_of_the_fair_one() -> None:
    assert Spread(0, 1, {"a": 3, "b": 1}).shares == {"a": 1.5, "b": 0.5}
    assert Spread(0, 1, {"a": 0}).shares == {"a": 0.0}


@pytest.mark.parametrize(
    ("seen", "down", "up"),
    [
        ([hpa(110, 4), hpa(250, 2)], "0 times", "0 times"),
        ([hpa(110, 4), hpa(150, 3)], "1 times: 4 to 3 at 50 s", "0 times"),
        ([hpa(110, 4), hpa(OFF, 3)], "1 times: 4 to 3 at 100 s", "0 times"),
        ([hpa(110, 4), hpa(OFF + 1, 3)], "0 times", "0 times"),
        ([hpa(110, 4), hpa(OFF + 1, 5)], "0 times", "1 times: 4 to 5 at 101 s"),
        ([hpa(110, 4), hpa(OFF, 5)], "0 times", "0 times"),
        ([hpa(95, 4), hpa(STEP, 3)], "0 times", "0 times"),
        ([hpa(110, 4), hpa(120, 3), hpa(130, 4), hpa(140, 3)], "2 times: 4 to 3 at 20 s, 4 to 3 at 40 s", "0 times"),
    ],
    ids=[
        *("up and down", "falls under load", "falls at load off", "falls after it", "rises after it"),
        *("rises at load off", "falls at the step", "falls twice"),
    ],
)
def test_flapping(seen: list[Observation], down: str, up: str) -> None:
    found = evidence(*seen)
    fell = check("the desired replicas never fall under load", found)
    rose = check("the desired replicas never rise after load off", found)

    assert (fell.observed, rose.observed) == (down, up)
    assert (fell.result, rose.result) == tuple(PASSED if it == "0 times" else FAILED for it in (down, up))


def test_every_mark_but_cpu_is_required() -> None:
    found = check("every mark is reached", evidence())

    assert (found.result, found.expected) == (FAILED, "all 12 marks")
    assert "CPU" not in found.observed


@pytest.mark.parametrize(("dropped", "result"), [(0, PASSED), (1, UNKNOWN)])
def test_the_timeline(dropped: int, result: Result) -> None:
    found = evidence()
    found = replace(found, history=replace(found.history, dropped=dropped))

    assert check("the timeline is complete", found).result is result


@pytest.mark.parametrize(("restarts", "warned"), [([], False), ([Restart(150, "Pod", "410 Gone")], True)])
def test_a_restarted_watch_is_a_warning(restarts: Sequence[Restart], warned: bool) -> None:
    found = evidence()
    found = replace(found, history=replace(found.history, restarts=restarts))

    assert bool(analysis(found).verdict().warnings) is warned


def test_the_figures_of_a_run() -> None:
    records = [request(90), *[request(150)] * 200, request(199, 0.5), request(250, outcome=Outcome.RESET)]
    figures = analysis(evidence(hpa(110, 4), hpa(OFF + 1, 9), records=records)).verdict().figures

    assert (figures["sent"], figures["lost"], figures["pods_wanted"]) == (203, 1, 4)
    assert figures["requests_per_second_under_load"] == 2.0
    assert figures["p95_under_load_ms"] == 250.0
    assert figures["desired_raised_s"] == 10.0
    assert "first_new_pod_ready_s" not in figures


@pytest.mark.parametrize(
    ("off", "rate"), [(STEP + 0.5, 1.0), (STEP + 2, 0.5), (None, 1.0)], ids=["half a second", "two", "no end"]
)
def test_the_rate_of_a_load_shorter_than_a_second_is_that_of_a_second(off: float | None, rate: float) -> None:
    figures = analysis(evidence(records=[request(STEP + 0.5)], load_off=off)).verdict().figures

    assert figures["requests_per_second_under_load"] == rate


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        ([], 2),
        ([hpa(110, 5), hpa(150, 3)], 5),
        ([hpa(STEP, 5), hpa(STEP + 1, 3)], 5),
        ([hpa(95, 5), hpa(STEP, 2)], 2),
        ([hpa(OFF, 5)], 5),
        ([hpa(OFF + 1, 5)], 2),
    ],
)
def test_the_desired_pods_are_the_most_under_load(seen: list[Observation], wanted: int) -> None:
    assert evidence(*seen).wanted == wanted


@pytest.mark.parametrize("seen", [[], [hpa(110, 3), hpa(250, 2)]], ids=["nothing", "the autoscaler alone"])
def test_a_timeline_that_shows_nothing_fails_the_drill(seen: list[Observation]) -> None:
    verdict = analysis(evidence(*seen, before=[], records=[request(150)])).verdict()

    assert {"every mark is reached", "enough pods are ready under load"} <= {it.name for it in verdict.failed}


def test_without_an_autoscaler_or_pods_before_the_step_nothing_was_there() -> None:
    found = evidence(hpa(110, 1), before=[])

    assert (found.wanted, found.old_pods) == (1, frozenset())
