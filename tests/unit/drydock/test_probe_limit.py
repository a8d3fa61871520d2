"""Which failures the judge probes: on reused connections, one at a time, at most ten a second."""

import pytest

from drydock.judge.exchange import Exchange, Lane
from drydock.judge.plan import Request
from drydock.judge.probe import PAUSE_SECONDS, ProbeLimit
from drydock.requests.outcome import WHOLE, Outcome

GET = Request("GET", "/", "/")


def ended(outcome: Outcome = Outcome.RESET, lane: Lane = Lane.KEPT, position: int = 1) -> Exchange:
    exchange = Exchange(0.0, 0.0, lane, GET, b"", b"", "", 10.0, position=position)
    exchange.outcome = outcome
    return exchange


@pytest.mark.parametrize("lane", [Lane.KEPT, Lane.IDLE])
@pytest.mark.parametrize("outcome", [Outcome.RESET, Outcome.CLOSED_EARLY, Outcome.TRUNCATED, Outcome.TIMED_OUT])
def test_a_failure_on_a_reused_connection_is_probed(lane: Lane, outcome: Outcome) -> None:
    assert ProbeLimit().calls_for_probe(ended(outcome, lane), 5.0)


@pytest.mark.parametrize(
    "exchange",
    [ended(position=0), ended(Outcome.REFUSED, position=0), *(ended(outcome) for outcome in sorted(WHOLE))],
    ids=["on a new connection", "refused", *sorted(WHOLE)],
)
def test_nothing_else_is_probed(exchange: Exchange) -> None:
    assert not ProbeLimit().calls_for_probe(exchange, 5.0)


def test_the_next_probe_waits_for_the_end_of_the_one_under_way() -> None:
    limit = ProbeLimit()
    assert limit.calls_for_probe(ended(), 5.0)
    assert not limit.calls_for_probe(ended(), 9.0), "the first one has no outcome"

    assert not limit.calls_for_probe(ended(Outcome.TIMED_OUT, Lane.PROBE, position=0), 10.0), "a probe is not probed"
    assert limit.calls_for_probe(ended(), 10.0)


def test_there_are_at_most_ten_in_a_second() -> None:
    limit, probes = ProbeLimit(), 0
    for millisecond in range(1000):
        now = 5.0 + millisecond / 1000
        if limit.calls_for_probe(ended(), now):
            probes += 1
            limit.calls_for_probe(ended(Outcome.REFUSED, Lane.PROBE, position=0), now)

    assert probes == round(1 / PAUSE_SECONDS) == 10
