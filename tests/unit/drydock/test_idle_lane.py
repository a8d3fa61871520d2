"""When the lane `idle` uses a connection again, and what it concludes from what the server does meanwhile."""

import asyncio
import time

import pytest

from drydock.judge.exchange import Exchange, Lane
from drydock.judge.idle import (
    AFTER_SECONDS,
    APART_SECONDS,
    BEFORE_SECONDS,
    CONNECTIONS,
    LEAST_SECONDS,
    REFUTED_SECONDS,
    REMEMBERED,
    IdleLane,
)
from drydock.judge.plan import Request
from drydock.requests.outcome import Outcome
from tests.uvloop_policy import ON_UVLOOP, event_loop_policy  # noqa: F401 - a fixture

GET = Request("GET", "/", "/")
TIMEOUT = 0.6
MOST = 0.05

pytestmark = ON_UVLOOP


class Sent:
    """The requests that a lane started, as (connection to go on with, seconds since the test began, due)."""

    def __init__(self, most: float = MOST) -> None:
        self.began = time.monotonic()
        self.connections: list[int] = []
        self.times: list[float] = []
        self._next = asyncio.Event()
        self.lane = IdleLane(most, self._start)

    def _start(self, due: float, connection: int) -> None:
        self.connections.append(connection)
        self.times.append(time.monotonic() - self.began)
        assert due <= time.monotonic(), "not before it is due"
        self._next.set()

    async def next(self) -> None:
        """Waits for the next request."""
        self._next.clear()
        await asyncio.wait_for(self._next.wait(), 5)


def ended(outcome: Outcome = Outcome.OK, connection: int = 7, idle: float = 0.0) -> Exchange:
    exchange = Exchange(0.0, 0.0, Lane.IDLE, GET, b"", b"", "", 10.0, connection=connection, idle=idle)
    exchange.outcome = outcome
    return exchange


async def test_it_begins_with_a_request_on_each_connection() -> None:
    sent = Sent()

    sent.lane.start()
    while len(sent.connections) < CONNECTIONS:
        await sent.next()

    assert all(connection <= 0 for connection in sent.connections), "each on a new one"
    assert sent.times == sorted(sent.times)
    assert sent.times[-1] >= (CONNECTIONS - 1) * APART_SECONDS, "and not in step"


async def test_until_a_timeout_is_known_a_pause_is_as_long_as_is_allowed() -> None:
    sent = Sent(most=0.2)

    sent.lane.ended(ended())
    await sent.next()

    assert sent.connections == [7]
    assert sent.times[0] == pytest.approx(0.2, abs=0.05)
    assert sent.lane.timeout is None


async def test_a_connection_that_the_server_closes_shows_its_timeout_and_is_replaced_at_once() -> None:
    sent = Sent(most=60)
    sent.lane.ended(ended())

    sent.lane.closed(7, TIMEOUT)

    assert sent.connections == [0]
    assert sent.lane.timeout == TIMEOUT


async def test_the_next_pauses_end_around_the_timeout() -> None:
    sent = Sent(most=60)
    sent.lane.closed(1, TIMEOUT)

    for connection in range(10, 30):
        sent.lane.ended(ended(connection=connection))
    while len(sent.connections) < 20:
        await sent.next()

    earliest, latest = TIMEOUT - BEFORE_SECONDS, TIMEOUT + AFTER_SECONDS
    assert earliest <= min(sent.times)
    assert sorted(sent.times)[10] <= latest + 0.1, "a busy machine may delay them"


async def test_a_fin_right_after_an_answer_is_no_timeout_and_calls_for_no_request() -> None:
    sent = Sent(most=60)
    sent.lane.ended(ended())

    sent.lane.closed(7, LEAST_SECONDS - 0.001)

    assert (sent.connections, sent.lane.timeout) == ([], None)
    sent.lane.closed(7, LEAST_SECONDS)
    assert (sent.connections, sent.lane.timeout) == ([0], LEAST_SECONDS)


async def test_a_fin_that_the_sender_finds_when_it_is_about_to_write_calls_for_no_second_request() -> None:
    sent = Sent()
    sent.lane.ended(ended())
    await sent.next()

    sent.lane.closed(7, TIMEOUT)

    assert (sent.connections, sent.lane.timeout) == ([7], TIMEOUT)


@pytest.mark.parametrize(
    ("idle", "outcome", "known"),
    [
        (TIMEOUT + REFUTED_SECONDS, Outcome.OK, None),
        (TIMEOUT + REFUTED_SECONDS - 0.001, Outcome.OK, TIMEOUT),
        (TIMEOUT + 1, Outcome.TIMED_OUT, TIMEOUT),
    ],
    ids=["a longer pause", "one of that length", "no answer"],
)
async def test_only_an_answer_after_a_longer_pause_refutes_a_timeout(
    idle: float, outcome: Outcome, known: float | None
) -> None:
    """As when the pod had ended: its idle connections close too."""
    sent = Sent()
    sent.lane.closed(1, TIMEOUT)

    sent.lane.ended(ended(outcome, idle=idle))

    assert sent.lane.timeout == known
    sent.lane.stop()


@pytest.mark.parametrize(
    ("outcome", "idle", "raced"),
    [
        (Outcome.RESET, TIMEOUT, 1),
        (Outcome.CLOSED_EARLY, TIMEOUT - REFUTED_SECONDS + 0.001, 1),
        (Outcome.CLOSED_EARLY, TIMEOUT - REFUTED_SECONDS - 0.001, 0),
        (Outcome.RESET, 0.0, 0),
        (Outcome.TRUNCATED, TIMEOUT, 0),
        (Outcome.TIMED_OUT, TIMEOUT, 0),
        (Outcome.SERVER_ERROR, TIMEOUT, 0),
        (Outcome.OK, TIMEOUT, 0),
    ],
)
async def test_a_request_met_the_timeout_if_its_connection_broke_after_such_a_pause(
    outcome: Outcome, idle: float, raced: int
) -> None:
    sent = Sent()
    sent.lane.closed(1, TIMEOUT)

    sent.lane.ended(ended(outcome, idle=idle))

    assert sent.lane.raced == raced
    sent.lane.stop()


async def test_a_break_before_any_timeout_is_known_is_an_ordinary_loss() -> None:
    sent = Sent()

    sent.lane.ended(ended(Outcome.RESET, idle=5))

    assert sent.lane.raced == 0
    sent.lane.stop()


async def test_the_timeout_is_the_median_of_the_newest_fins() -> None:
    sent = Sent()
    for idle in [2.0] * 3 + [5.0, 5.001, 5.002, 5.0, 5.001, 5.0, 5.0, 60.0]:
        sent.lane.closed(1, idle)

    assert REMEMBERED == 8
    assert sent.lane.timeout == pytest.approx(5.0, abs=0.002)


async def test_after_its_end_nothing_is_sent() -> None:
    sent = Sent()
    sent.lane.ended(ended())

    sent.lane.stop()
    sent.lane.ended(ended(connection=8))
    sent.lane.closed(7, TIMEOUT)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sent.next(), 4 * MOST)

    assert sent.connections == []
