"""Windows by the end of each request, and the period with more requests in flight than users."""

import pytest

from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.requests.windows import in_flight_above, windows


def record(started: float, seconds: float, outcome: Outcome = Outcome.OK, route: str = "/slow") -> Record:
    return Record(started, started, seconds, "GET", route, 200, outcome, "pod", "worker", "")


def test_a_request_belongs_to_the_window_in_which_it_ends() -> None:
    first, second = windows([record(0.0, 0.5), record(0.5, 1.0), record(1.2, 0.1)], begin=0, end=2, seconds=1)

    assert (first.rate, second.rate) == (1, 2)


def test_an_empty_window_has_no_latency() -> None:
    empty, _ = windows([record(1.1, 0.1)], begin=0, end=2, seconds=1)

    assert empty.rate == 0
    assert empty.latency(95, "/slow") is None


def test_the_latency_covers_the_complete_responses_of_one_route() -> None:
    sent = [record(0, 0.2), record(0, 0.9, route="/other"), record(0, 0.8, Outcome.TIMED_OUT)]
    [window] = windows(sent, begin=0, end=1, seconds=1)

    assert window.latency(95, "/slow") == pytest.approx(200)
    assert window.errors() == {Outcome.TIMED_OUT: 1}


def test_requests_in_flight_show_when_users_came_and_went() -> None:
    base = [record(number / 2, 0.4) for number in range(20)]
    step = [record(3 + number / 10, 2.0) for number in range(5)]

    # At 3.1 s, two requests of the step and one of the base are in flight.
    began, off = in_flight_above(sorted([*base, *step], key=lambda it: it.started), users=2) or (0, 0)

    assert began == pytest.approx(3.1)
    assert off == pytest.approx(5.3, abs=0.2)


def test_a_constant_number_of_users_is_not_a_step() -> None:
    assert in_flight_above([record(number, 0.5) for number in range(5)], users=1) is None
