"""Requests by the time at which they were over, and when there were more users than before."""

import pytest

from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.requests.windows import in_flight_above, windows


def record(started: float, seconds: float, outcome: Outcome = Outcome.OK, route: str = "/slow") -> Record:
    return Record(started, started, seconds, "GET", route, 200, outcome, "pod", "worker", "")


def test_a_request_counts_where_it_was_over() -> None:
    first, second = windows([record(0.0, 0.5), record(0.5, 1.0), record(1.2, 0.1)], begin=0, end=2, seconds=1)

    assert (first.rate, second.rate) == (1, 2)


def test_a_window_without_requests_is_there_and_has_no_latency() -> None:
    empty, _ = windows([record(1.1, 0.1)], begin=0, end=2, seconds=1)

    assert empty.rate == 0
    assert empty.latency(95, "/slow") is None


def test_the_latency_is_of_one_route_and_of_whole_answers() -> None:
    sent = [record(0, 0.2), record(0, 0.9, route="/other"), record(0, 0.8, Outcome.TIMED_OUT)]
    [window] = windows(sent, begin=0, end=1, seconds=1)

    assert window.latency(95, "/slow") == pytest.approx(200)
    assert window.errors() == {Outcome.TIMED_OUT: 1}


def test_more_requests_under_way_than_users_before_show_when_users_came_and_went() -> None:
    base = [record(number / 2, 0.4) for number in range(20)]
    step = [record(3 + number / 10, 2.0) for number in range(5)]

    # Three of the step's requests are under way with one of the base's when the third user is there.
    began, off = in_flight_above(sorted([*base, *step], key=lambda it: it.started), users=2) or (0, 0)

    assert began == pytest.approx(3.1)
    assert off == pytest.approx(5.3, abs=0.2)


def test_the_same_users_all_the_time_are_no_step() -> None:
    assert in_flight_above([record(number, 0.5) for number in range(5)], users=1) is None
