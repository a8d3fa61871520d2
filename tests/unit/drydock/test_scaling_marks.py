"""Each mark of the scaling drill: at its limit, just beyond it, at the edges of the load, and without its evidence."""

from dataclasses import replace

import pytest

from drydock.analysis.scaling import marks
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.timeline.observation import Observation
from tests.unit.drydock import scaled
from tests.unit.drydock.disrupted import endpoints
from tests.unit.drydock.scaled import FOUR, OFF, ONE, STEP, THREE, TWO, evidence, hpa, mark, pod, request


def burst(count: int, second: float = 3.0) -> list[Record]:
    """Requests that end within one second."""
    return [request(STEP + second + 0.5)] * count


END = [request(STEP + 20)]


@pytest.mark.parametrize(
    ("answered", "ready", "seconds", "note"),
    [
        (30, (ONE, TWO), None, "at most 15/s a pod, target 15"),
        (31, (ONE, TWO), 4.0, "16/s a pod, target 15"),
        (16, (ONE,), 4.0, "16/s a pod, target 15"),
        (15, (ONE,), None, "at most 15/s a pod, target 15"),
        (16, (), 4.0, "16/s a pod, target 15"),
        (15, (), None, "at most 15/s a pod, target 15"),
        (0, (ONE,), None, "at most 1/s a pod, target 15"),
    ],
)
def test_the_rate_exceeds_its_target_for_each_ready_pod(
    answered: int, ready: tuple[str, ...], seconds: float | None, note: str
) -> None:
    found = mark(marks.RATE_OVER, evidence(endpoints(95, *ready), records=[*burst(answered), *END, request(STEP + 19)]))

    assert (found.seconds, found.note, found.missing) == (seconds, note, seconds is None)


def test_the_rate_is_that_of_the_first_second_that_exceeds_it() -> None:
    records = [*burst(40, 7.0), *burst(50, 5.0), *burst(60, -3.0), *END]

    assert mark(marks.RATE_OVER, evidence(records=records)).seconds == 6.0


def test_before_the_service_had_endpoints_its_rate_is_that_of_one_pod() -> None:
    found = evidence(before=[hpa(90)], records=[*burst(16), *END])

    assert mark(marks.RATE_OVER, found).seconds == 4.0


@pytest.mark.parametrize(
    ("time", "cpu", "seconds", "note"),
    [
        (110, 60, None, "at most 60 %, target 60 %"),
        (110, 61, 10.0, "61 %"),
        (STEP, 99, None, "at most 0 %, target 60 %"),
        (OFF, 99, 100.0, "99 %"),
        (OFF + 1, 99, None, "at most 0 %, target 60 %"),
        (110, None, None, "at most 0 %, target 60 %"),
    ],
    ids=["at the target", "over it", "at the step", "at load off", "after it", "no value"],
)
def test_cpu_exceeds_its_target_under_load(time: float, cpu: float | None, seconds: float | None, note: str) -> None:
    found = mark(marks.CPU_OVER, evidence(hpa(time, cpu=cpu)))

    assert (found.seconds, found.note) == (seconds, note)
    assert not found.missing, "another metric may scale"


@pytest.mark.parametrize(
    ("seen", "seconds", "note"),
    [
        ([hpa(110, rate=15)], None, "no metric exceeded its target under load"),
        ([hpa(110, rate=16)], 10.0, "rate 16, target 15"),
        ([hpa(110, rate=16), hpa(120, rate=16, cpu=99)], 10.0, "rate 16, target 15"),
        ([hpa(110, cpu=61), hpa(120, rate=16)], 10.0, "cpu 61, target 60"),
        ([hpa(STEP, rate=99)], None, "no metric exceeded its target under load"),
        ([hpa(OFF, rate=99)], 100.0, "rate 99, target 15"),
        ([hpa(OFF + 1, rate=99)], None, "no metric exceeded its target under load"),
    ],
)
def test_the_autoscaler_reads_a_value_above_its_target(
    seen: list[Observation], seconds: float | None, note: str
) -> None:
    found = mark(marks.VISIBLE, evidence(*seen))

    assert (found.seconds, found.note, found.missing) == (seconds, note, seconds is None)


@pytest.mark.parametrize(
    ("seen", "seconds", "note"),
    [
        ([hpa(110, 3)], 10.0, "2 to 3"),
        ([hpa(110, 3), hpa(120, 5)], 10.0, "2 to 3"),
        ([hpa(105, 1), hpa(110, 2), hpa(120, 4)], 20.0, "2 to 4"),
        ([hpa(110, 2)], None, "the desired replicas stayed at 2"),
        ([hpa(STEP, 3)], None, "the desired replicas stayed at 3"),
        ([hpa(OFF, 3)], 100.0, "2 to 3"),
        ([hpa(OFF + 1, 3)], None, "the desired replicas stayed at 2"),
    ],
)
def test_the_desired_replicas_rise_under_load(seen: list[Observation], seconds: float | None, note: str) -> None:
    found = mark(marks.DESIRED, evidence(*seen))

    assert (found.seconds, found.note, found.missing) == (seconds, note, seconds is None)


def test_an_autoscaler_that_was_not_seen_before_the_step_rises_from_zero() -> None:
    assert mark(marks.DESIRED, evidence(hpa(110, 1), before=[])).note == "0 to 1"


def start(name: str, at: float = 110) -> list[Observation]:
    """A pod is created, scheduled after 1 s, running after 2 s and ready after 5 s."""
    return [
        pod(at, name, "added"),
        pod(at + 1, name, scheduled=at + 1),
        pod(at + 2, name, scheduled=at + 1, started=at + 2),
        pod(at + 5, name, scheduled=at + 1, started=at + 2, ready=at + 4),
    ]


def test_the_first_new_pod_is_scheduled_started_and_ready() -> None:
    found = evidence(*start(THREE), *start(FOUR, at=112))

    assert [mark(name, found).seconds for name in (marks.SCHEDULED, marks.STARTED, marks.READY)] == [11, 12, 15]
    assert mark(marks.READY, found).note == "14 s by the API"


@pytest.mark.parametrize("name", [marks.SCHEDULED, marks.STARTED, marks.READY])
@pytest.mark.parametrize(
    ("seen", "note"),
    [
        ([], "there was no new pod"),
        ([pod(110, ONE, scheduled=99, started=99, ready=99)], "there was no new pod"),
        ([pod(110, THREE, "added")], "no new pod reached it"),
        ([pod(OFF + 1, THREE, scheduled=201, started=201, ready=201)], "there was no new pod"),
        ([pod(STEP, THREE, scheduled=99, started=99, ready=99)], "there was no new pod"),
    ],
    ids=["none", "an old one", "one that does not start", "one after the load", "one that was there at the step"],
)
def test_a_new_pod_that_does_not_come_is_missing(name: str, seen: list[Observation], note: str) -> None:
    found = mark(name, evidence(*seen))

    assert (found.seconds, found.note, found.missing) == (None, note, True)


def test_a_new_pod_at_load_off_still_counts() -> None:
    assert mark(marks.READY, evidence(pod(OFF, THREE, ready=199))).seconds == 100.0


@pytest.mark.parametrize(
    ("records", "seconds"),
    [
        ([request(130, of=THREE), request(120, of=THREE), request(110, of=ONE), request(105, of="")], 20.0),
        ([request(STEP, of=THREE)], None),
        ([request(STEP + 0.25, of=THREE)], 0.25),
        ([request(120, of=TWO)], None),
    ],
    ids=["the first answer of a new pod", "at the step", "just after it", "of an old pod"],
)
def test_a_new_pod_answers(records: list[Record], seconds: float | None) -> None:
    found = mark(marks.SERVED, evidence(records=records))

    assert (found.seconds, found.missing) == (seconds, seconds is None)


@pytest.mark.parametrize(
    ("seen", "seconds", "note"),
    [
        ([hpa(110, 3), endpoints(120, ONE, TWO, THREE)], 20.0, "3 pods"),
        ([hpa(110, 3), endpoints(120, ONE, TWO, THREE, FOUR)], 20.0, "3 pods"),
        ([hpa(110, 3)], None, "at most 2 of 3 were ready"),
        ([hpa(110, 3), endpoints(120, ONE)], None, "at most 2 of 3 were ready"),
        ([hpa(110, 4), endpoints(120, ONE, TWO, THREE)], None, "at most 3 of 4 were ready"),
        ([hpa(110, 3), endpoints(OFF, ONE, TWO, THREE)], 100.0, "3 pods"),
        ([hpa(110, 3), endpoints(OFF + 1, ONE, TWO, THREE)], None, "at most 2 of 3 were ready"),
        ([endpoints(120, ONE, TWO, THREE)], None, "the desired replicas did not rise"),
    ],
)
def test_all_desired_pods_are_ready(seen: list[Observation], seconds: float | None, note: str) -> None:
    found = mark(marks.ALL_READY, evidence(*seen))

    assert (found.seconds, found.note, found.missing) == (seconds, note, seconds is None)


def windows(*latencies: float | None) -> list[Record]:
    """A request in each window of 5 s since the step; None leaves one empty. The last one ends with its window."""
    sent = [request(STEP + 5 * n + 2, took) for n, took in enumerate(latencies) if took is not None]
    return [*sent, replace(request(STEP + 5 * len(latencies), 0.001), route="/other")]


@pytest.mark.parametrize(
    ("latencies", "seconds", "note"),
    [
        ((0.5, 0.5, 0.5), 0.0, "never above it"),
        ((0.75, 0.5, 0.5, 0.5), 5.0, "up to 750 ms before"),
        ((0.5, 0.5, 0.5001, 0.5, 0.5, 0.5), 15.0, "up to 500 ms before"),
        ((0.5, 0.5, 0.75), None, "never within it for 15 s; up to 750 ms"),
        ((0.5, 0.5), None, "never within it for 15 s; up to 500 ms"),
        ((0.5, 0.5, None, 0.5, 0.5, 0.5), 15.0, "up to 500 ms before"),
        ((None, None, None), None, "never within it for 15 s; up to 0 ms"),
    ],
)
def test_latency_is_back_after_three_windows_within_the_objective(
    latencies: tuple[float | None, ...], seconds: float | None, note: str
) -> None:
    found = mark(marks.LATENCY_BACK, evidence(records=windows(*latencies)))

    assert (found.seconds, found.missing) == (seconds, seconds is None)
    assert found.note == note


def test_latency_after_the_load_does_not_count() -> None:
    records = windows(*[0.75] * 17, *[0.25] * 3, *[0.25] * 9)

    assert mark(marks.LATENCY_BACK, evidence(records=records)).seconds == 85.0
    assert mark(marks.LATENCY_BACK, evidence(records=records, load_off=OFF - 1)).missing


@pytest.mark.parametrize(("off", "seconds"), [(OFF, 100.0), (None, None)])
def test_the_end_of_the_load(off: float | None, seconds: float | None) -> None:
    assert mark(marks.LOAD_OFF, evidence(load_off=off)).seconds == seconds


HIGH = hpa(110, 4), pod(111, THREE, "added"), pod(111, FOUR, "added")
LOWER = hpa(250, 3)


@pytest.mark.parametrize(
    ("seen", "fell", "back"),
    [
        ([*HIGH, LOWER, pod(260, FOUR, "removed"), pod(270, THREE, "removed")], 150.0, 170.0),
        ([*HIGH, LOWER, pod(260, FOUR, "removed")], 150.0, None),
        ([*HIGH, hpa(OFF, 3)], None, None),
        ([*HIGH, hpa(OFF + 1, 3), pod(OFF + 1, FOUR, "removed"), pod(OFF + 1, THREE, "removed")], 101.0, None),
        ([*HIGH, hpa(250, 5)], None, None),
        ([*HIGH], None, None),
        ([*HIGH, LOWER, *(pod(260 + n, name, "removed") for n, name in enumerate((FOUR, THREE, TWO)))], 150.0, 161.0),
    ],
    ids=[
        *("falls and is back", "one pod stays", "falls at load off", "pods that went at once", "rises", "stays"),
        "fewer than the minimum",
    ],
)
def test_the_pods_come_back_to_the_minimum(seen: list[Observation], fell: float | None, back: float | None) -> None:
    found = evidence(*seen)

    assert (mark(marks.SCALE_IN, found).seconds, mark(marks.AT_MINIMUM, found).seconds) == (fell, back)


@pytest.mark.parametrize(
    ("seen", "off", "notes"),
    [
        ([*HIGH], OFF, ("the desired replicas stayed at 4", "the desired replicas stayed at 4")),
        ([*HIGH], None, ("the load is on", "the load is on")),
        ([*HIGH, LOWER, pod(260, FOUR, "removed")], OFF, ("4 to 3", "there were 3 pods at the end")),
    ],
)
def test_a_scale_in_that_does_not_end_is_explained(
    seen: list[Observation], off: float | None, notes: tuple[str, str]
) -> None:
    found = evidence(*seen, load_off=off)

    assert (mark(marks.SCALE_IN, found).note, mark(marks.AT_MINIMUM, found).note) == notes


def test_a_mark_has_two_decimals() -> None:
    assert mark(marks.DESIRED, evidence(hpa(110.126, 3))).seconds == 10.13


def test_lost_requests_of_the_load_count_as_answers_to_no_one() -> None:
    lost = request(120, of="", outcome=Outcome.REFUSED)

    assert mark(marks.SERVED, scaled.evidence(records=[lost])).missing
