"""The lane `idle` learns the keep-alive timeout of a server, and meets the loss that a reverse proxy meets."""

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from drydock.analysis.idle_pauses import IdlePauses
from drydock.analysis.probes import Finding, Probes
from drydock.judge.exchange import Lane
from drydock.judge.idle import CONNECTIONS
from drydock.judge_client.progress_sample import ProgressSample
from drydock.requests.outcome import Outcome
from tests.integration.drydock.judged import MAKE, Judged, judge, plan
from tests.integration.drydock.misbehaving import DEAF_SECONDS, Server, answering

KEEP_ALIVE = 0.8
CLOSES_AFTER = KEEP_ALIVE + DEAF_SECONDS


def lane(judged: Judged, name: Lane) -> Counter[Outcome]:
    return Counter(record.outcome for record in judged.records if record.lane == name)


def last_sample(judged: Judged) -> ProgressSample:
    return ProgressSample.parse([line["sample"] for line in judged.said if "sample" in line][-1])


async def test_a_server_that_closes_idle_connections_first_loses_requests_after_a_pause_and_no_others(
    tmp_path: Path,
) -> None:
    async with Server(keep_alive=KEEP_ALIVE) as server:
        judged = await judge(plan(server.url, rate=40, seconds=5, idle_lane=True), tmp_path)

    assert judged.summary["idle_timeout_s"] == pytest.approx(CLOSES_AFTER, abs=0.03)
    met = lane(judged, Lane.IDLE)
    assert met[Outcome.CLOSED_EARLY] + met[Outcome.RESET] >= 2, met
    assert {record.lane for record in judged.records if record.lost} == {Lane.IDLE}
    pauses = IdlePauses.among(judged.records)
    assert pauses.lost[0] > KEEP_ALIVE
    assert pauses.lost[-1] < CLOSES_AFTER + 0.2

    lost = sum(record.lost for record in judged.records)
    assert judged.summary["raced"] == last_sample(judged).raced == lost
    assert last_sample(judged).lost == 0, "a steady state holds"
    probes = Probes.among(judged.records)
    assert probes.findings.keys() == {Finding.RESET}, "a new connection is answered"
    assert 0 < probes.findings[Finding.RESET] <= probes.failed == lost
    assert len(judged.records) == judged.summary["sent"]


async def test_a_server_that_keeps_idle_connections_gets_a_request_after_each_pause(tmp_path: Path) -> None:
    async with Server() as server:
        judged = await judge(plan(server.url, rate=20, seconds=2.7, idle_lane=True, idle_seconds=1), tmp_path)

    sent = sorted((it for it in judged.records if it.lane == Lane.IDLE), key=lambda it: (it.connection, it.position))
    assert lane(judged, Lane.IDLE) == {Outcome.OK: 3 * CONNECTIONS}
    assert len({record.connection for record in sent}) == CONNECTIONS
    for before, after in pairwise(sent):
        if after.position:
            assert after.started - before.ended == pytest.approx(1, abs=0.05)
    assert judged.summary["idle_timeout_s"] is None
    assert Lane.PROBE not in {record.lane for record in judged.records}, "nothing has failed"


async def test_a_server_that_closes_each_connection_is_not_sent_more_than_it_would_be_otherwise(tmp_path: Path) -> None:
    def answer_and_close(writer: asyncio.StreamWriter) -> None:
        answering("200 OK")(writer)
        writer.close()

    async with Server(lambda _: answer_and_close) as server:
        judged = await judge(plan(server.url, rate=20, seconds=2.1, idle_lane=True, idle_seconds=1.2), tmp_path)

    assert lane(judged, Lane.IDLE) == {Outcome.OK: 2 * CONNECTIONS}


async def test_the_lane_can_be_off(tmp_path: Path) -> None:
    async with Server() as server:
        judged = await judge(plan(server.url, rate=40, seconds=1, idle_lane=False), tmp_path)

    assert Lane.IDLE not in {record.lane for record in judged.records}


async def test_the_lane_sends_nothing_without_a_get(tmp_path: Path) -> None:
    async with Server() as server:
        judged = await judge(plan(server.url, rate=40, seconds=1, idle_lane=True, requests=(MAKE,)), tmp_path)

    assert Lane.IDLE not in {record.lane for record in judged.records}
