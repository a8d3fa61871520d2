"""A machine without CPU: when it was, and which losses it explains."""

from collections.abc import Sequence

import pytest

from drydock.analysis.causes import Cause, Loss
from drydock.analysis.starvation import Starvation
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from tests.unit.drydock.disrupted import request

LATE = 0.0625  # more than 50 ms, and exact in binary


def due(time: float, delay: float = 0.0) -> Record:
    """A request that was sent `delay` seconds after its due time."""
    return request(time, started=time + delay)


@pytest.mark.parametrize(
    ("delays", "starved"),
    [
        ([], False),
        ([0.0], False),
        ([0.05], False),
        ([0.0501], True),
        ([LATE] * 5 + [0.0] * 95, False),
        ([LATE] * 6 + [0.0] * 94, True),
        ([0.0] * 94 + [0.05] * 6, False),
        ([LATE] * 94 + [0.0] * 6, True),
    ],
    ids=["nothing", "on time", "50 ms", "over 50 ms", "5 % late", "6 % late", "6 % at the limit", "94 % late"],
)
def test_a_machine_is_out_of_cpu_while_5_percent_start_50_ms_late(delays: Sequence[float], starved: bool) -> None:
    assert Starvation([due(0.0, delay) for delay in delays]).between(0.0, 0.0) is starved


@pytest.mark.parametrize(
    ("began", "ended", "starved"),
    [(10, 20, True), (15, 15, True), (5, 15, True), (15, 25, True), (15.001, 25, False), (5, 14.999, False)],
)
def test_only_the_requests_between_the_two_times_count(began: float, ended: float, starved: bool) -> None:
    assert Starvation([due(30.0), due(15.0, LATE), due(1.0)]).between(began, ended) is starved


def test_the_delay_is_that_after_the_due_time() -> None:
    assert not Starvation([due(15.0), due(16.0)]).between(10, 20)


@pytest.mark.parametrize(
    ("at", "explained"),
    [(99.0, True), (98.875, False), (100.0, True), (102.0, True), (102.125, False)],
    ids=["1 s before it was sent", "earlier", "when it was sent", "when it ended", "later"],
)
def test_a_loss_is_explained_by_the_second_before_it_and_its_own_time(at: float, explained: bool) -> None:
    shed = Loss(request(100.0, Outcome.SERVER_ERROR, took=2.0), Cause.SHED, allowed=False)

    assert Starvation([due(50.0), due(at, LATE), due(150.0)]).explains(shed) is explained


@pytest.mark.parametrize("cause", Cause)
def test_only_slow_answers_are_explained(cause: Cause) -> None:
    loss = Loss(request(100.0, Outcome.SERVER_ERROR, took=2.0), cause, allowed=False)

    assert Starvation([due(100.0, LATE)]).explains(loss) is (cause in {Cause.SHED, Cause.NOT_ANSWERED})
