"""After a failure on a reused connection the judge asks on a fresh one, and the finding names what failed."""

import asyncio
from pathlib import Path

import pytest

from drydock.analysis.probes import Finding, Probes, pairs
from drydock.judge.exchange import Lane
from drydock.judge.run import WARM
from drydock.requests.outcome import Outcome
from tests.integration.drydock.judged import GET, ORDER, Judged, judge, plan
from tests.integration.drydock.misbehaving import Behaviour, Server, healthy, resetting, silent

# The server answers so many well before it becomes faulty: every kept-alive connection is in use by then.
GOOD = 50


def probed(judged: Judged) -> list[Outcome]:
    return [record.outcome for record in judged.records if record.lane == Lane.PROBE]


class Faulty:
    """Breaks the `count` next requests on kept-alive connections, and treats what follows in another way."""

    def __init__(self, fault: Behaviour, then: Behaviour = healthy, count: int = 1) -> None:
        self.fault, self.then, self.left = fault, then, count
        self.server = Server(self.behave)

    def behave(self, number: int) -> Behaviour:
        if number < WARM + GOOD:
            return healthy
        if self.left and "connection" not in self.server.requests[number].headers:
            self.left -= 1
            return self.fault
        return self.then if not self.left else healthy


def slowly(writer: asyncio.StreamWriter) -> None:
    """Answers after 1.2 s."""
    asyncio.get_running_loop().call_later(1.2, healthy, writer)


@pytest.mark.parametrize(
    ("then", "finding"),
    [(healthy, Finding.RESET), (slowly, Finding.STALLED), (resetting, Finding.OUTAGE)],
    ids=["answered", "answered late", "lost"],
)
async def test_the_probe_tells_a_connection_from_the_service(then: Behaviour, finding: Finding, tmp_path: Path) -> None:
    faulty = Faulty(resetting, then)
    async with faulty.server as server:
        judged = await judge(plan(server.url, rate=100, seconds=1.2), tmp_path)

    first = min((it for it in pairs(judged.records)), key=lambda pair: pair[0].ended)
    assert first[0].outcome is Outcome.RESET
    assert first[0].position > 0
    assert Probes.among([*first]).findings == {finding: 1}
    assert (first[1].operation, first[1].position) == (GET.operation, 0)
    assert len({it.connection for it in judged.records if it.lane == Lane.PROBE}) == len(probed(judged))
    assert len(list(pairs(judged.records))) == len(probed(judged)), "each probe has its failure"
    assert len(judged.records) == judged.summary["sent"], "a probe is counted"


async def test_a_probe_has_no_side_effect_and_is_not_probed(tmp_path: Path) -> None:
    async with Faulty(resetting, resetting).server as server:
        wanted = plan(server.url, rate=100, seconds=1.2, requests=(ORDER, GET))
        judged = await judge(wanted, tmp_path)

    probes = [it for it in judged.records if it.lane == Lane.PROBE]
    assert {it.method for it in probes} == {"GET"}
    assert 1 <= len(probes) <= wanted.kept_connections, "at most one for each kept-alive connection"


async def test_while_a_probe_is_under_way_no_other_is_sent(tmp_path: Path) -> None:
    async with Faulty(silent, silent).server as server:
        judged = await judge(plan(server.url, rate=100, seconds=2, timeout=0.8), tmp_path)

    failed = [it for it in judged.records if it.position and not it.whole]
    assert len(failed) > 1
    assert probed(judged) == [Outcome.TIMED_OUT]
    assert Probes.among(judged.records).findings == {Finding.OUTAGE: 1}


async def test_without_a_get_there_is_no_probe(tmp_path: Path) -> None:
    async with Faulty(resetting).server as server:
        judged = await judge(plan(server.url, rate=100, seconds=1.2, requests=(ORDER,)), tmp_path)

    assert any(it.lost and it.position for it in judged.records)
    assert probed(judged) == []


async def test_a_failure_on_a_new_connection_is_not_probed(tmp_path: Path) -> None:
    """The connection itself was fresh: another one would ask the same again."""
    async with Server(lambda number: resetting if number >= WARM else healthy) as server:
        judged = await judge(plan(server.url, rate=50, seconds=1), tmp_path)

    assert {it.outcome for it in judged.records} == {Outcome.RESET}
    assert probed(judged) == []
