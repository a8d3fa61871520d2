"""The judge against a server that misbehaves on demand: it finds every fault, and reports none where there is none."""

import asyncio
import os
import signal
import statistics
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from drydock.core.project import Project
from drydock.judge.exchange import Lane, sampled
from drydock.judge.exports import ENDPOINT
from drydock.judge.plan import VARIABLE, Plan
from drydock.judge.run import WARM
from drydock.requests.outcome import Outcome
from tests.integration.app.service import free_port
from tests.integration.drydock import misbehaving
from tests.integration.drydock.judged import COMMAND, ORDER, after_warming_up, judge, plan
from tests.integration.drydock.misbehaving import Behaviour, Server, answering, healthy, saying

EVERY = 3
FAULTS = 100
PIECE = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nX-Served-By: pod-a\r\n\r\n{"
CLASSES: dict[str, tuple[Behaviour, Outcome]] = {
    "reset": (misbehaving.resetting, Outcome.RESET),
    "close early": (misbehaving.closing, Outcome.CLOSED_EARLY),
    "truncate": (saying(PIECE), Outcome.TRUNCATED),
    "no HTTP": (saying(b"good morning\r\n\r\n"), Outcome.TRUNCATED),
    "stall": (misbehaving.silent, Outcome.TIMED_OUT),
    "stall in the middle": (saying(PIECE, misbehaving.silent), Outcome.TIMED_OUT),
    "5xx": (answering("503 Service Unavailable"), Outcome.SERVER_ERROR),
    "4xx": (answering("404 Not Found"), Outcome.CLIENT_ERROR),
}


@pytest.mark.parametrize("name", CLASSES)
async def test_each_class_of_fault_is_found_every_time_and_nothing_else(name: str, tmp_path: Path) -> None:
    fault, outcome = CLASSES[name]

    def behave(number: int) -> Behaviour:
        ours = after_warming_up(number)
        return fault if ours >= 0 and ours % EVERY == 0 and ours < EVERY * FAULTS else healthy

    async with Server(behave) as server:
        judged = await judge(plan(server.url, rate=200, seconds=1.6, timeout=1), tmp_path)

    assert judged.code == 0, judged.complaints
    found = Counter(record.outcome for record in judged.records)
    assert found[outcome] == FAULTS, f"{found}, of {len(judged.records)}"
    assert found[Outcome.OK] == len(judged.records) - FAULTS, f"{found}, of {len(judged.records)}"
    assert all(record.reason for record in judged.records if record.lost), "each in the error's own words"
    lanes = Counter(record.lane for record in judged.records if record.outcome is outcome)
    assert {Lane.FRESH, Lane.KEPT} <= set(lanes), "the fault was met in both lanes"


async def test_a_listener_that_is_gone_refuses_every_request_that_follows(tmp_path: Path) -> None:
    async with Server() as server:

        async def close_the_listener(_: asyncio.subprocess.Process) -> None:
            await server.has_met(WARM + 50)
            await server.stop_listening()

        judged = await judge(plan(server.url, rate=100, seconds=3), tmp_path, close_the_listener)

    outcomes = [record.outcome for record in judged.records]
    first = outcomes.index(Outcome.REFUSED)
    assert set(outcomes[first:]) == {Outcome.REFUSED}
    assert len(outcomes) - first >= FAULTS, Counter(outcomes)
    assert all(record.reason and not record.pod for record in judged.records[first:])
    assert all(record.port for record in judged.records), "a refused connection has a port too"


@pytest.mark.slow
async def test_a_healthy_server_loses_nothing_over_a_hundred_thousand_requests(tmp_path: Path) -> None:
    async with Server() as server:
        judged = await judge(plan(server.url, rate=1000, seconds=100, kept_connections=20), tmp_path)

    print(judged.summary)
    assert len(judged.records) >= 100_000
    assert Counter(record.outcome for record in judged.records) == {Outcome.OK: len(judged.records)}


async def test_every_request_has_one_line_with_its_connection_and_who_answered(tmp_path: Path) -> None:
    async with Server() as server:
        judged = await judge(plan(server.url, rate=100, seconds=2), tmp_path)

    # It sends by the clock until it is told to stop; on a busy machine it hears that a few milliseconds late.
    assert len(judged.records) == judged.summary["sent"] == pytest.approx(100 * judged.summary["seconds"], abs=1)
    assert judged.summary["seconds"] == pytest.approx(2, abs=0.2)
    assert {record.pod for record in judged.records} == {"pod-a"}
    kept = [record for record in judged.records if record.lane == Lane.KEPT]
    fresh = [record for record in judged.records if record.lane == Lane.FRESH]
    assert all(record.position == 0 for record in fresh)
    assert len({record.connection for record in fresh}) == len(fresh), "each has a connection of its own"
    assert len({record.connection for record in kept}) < len(kept) / 2, "these share some"
    assert len({(record.connection, record.position) for record in kept}) == len(kept), "one at a time on each"
    assert len({(record.connection, record.port) for record in kept}) == len({record.connection for record in kept})


async def test_a_kept_connection_that_the_server_closes_while_idle_is_not_used_again(tmp_path: Path) -> None:
    def answer_and_close(writer: asyncio.StreamWriter) -> None:
        healthy(writer)
        writer.close()

    async with Server(lambda _: answer_and_close) as server:
        judged = await judge(plan(server.url, rate=40, seconds=2), tmp_path)

    kept = [record.connection for record in judged.records if record.lane == Lane.KEPT]
    assert Counter(record.outcome for record in judged.records) == {Outcome.OK: len(judged.records)}
    assert len(set(kept)) == len(kept) > 10, "each request has a connection of its own"


async def test_a_long_request_takes_its_time_and_is_sent_once(tmp_path: Path) -> None:
    async with Server() as server:
        slow = plan(server.url, rate=20, seconds=1, requests=(ORDER,), long_rate=4, long_seconds=1.5)
        judged = await judge(slow, tmp_path)

    long = [record for record in judged.records if record.lane == Lane.LONG]
    assert 3 <= len(long) <= 5
    assert all(record.outcome is Outcome.OK and 1.4 < record.seconds < 2.5 for record in long), long
    keys = [
        request.headers["idempotency-key"] for request in server.requests if request.line.startswith("POST /orders")
    ]
    assert len(keys) == len(set(keys)), "nothing is sent twice"
    assert {record.key for record in judged.records} <= set(keys)


async def test_an_order_carries_its_key_as_the_name_of_its_trace_and_few_are_kept(tmp_path: Path) -> None:
    async with Server() as server:
        judged = await judge(plan(server.url, rate=200, seconds=2, requests=(ORDER,)), tmp_path)

    for request in server.requests:
        version, trace, _, flag = request.headers["traceparent"].split("-")
        assert (version, trace) == ("00", request.headers["idempotency-key"])
        assert flag == ("01" if sampled(trace) else "00")
    assert 1 <= sum(sampled(record.key) for record in judged.records) <= 60, "about one in twenty of 400"


async def test_subjects_are_made_first_and_orders_go_to_each_of_them(tmp_path: Path) -> None:
    async with Server() as server:
        await judge(plan(server.url, rate=50, seconds=1, subjects=3, requests=(ORDER,)), tmp_path)

    assert [request.line.split()[1] for request in server.requests[:3]] == ["/products"] * 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_sending_and_what_is_under_way_is_answered_and_counted(
    number: signal.Signals, tmp_path: Path
) -> None:
    async def end_it(process: asyncio.subprocess.Process) -> None:
        await asyncio.sleep(0.7)
        process.send_signal(number)

    async with Server() as server:
        slow = plan(server.url, rate=100, seconds=60, requests=(ORDER,), long_rate=5, long_seconds=1)
        judged = await judge(slow, tmp_path, end_it)

    assert judged.code == 0
    assert 40 <= len(judged.records) == judged.summary["sent"] <= 300
    assert {record.outcome for record in judged.records} == {Outcome.OK}
    assert any(record.lane == Lane.LONG for record in judged.records)
    assert judged.said[-1] == {"ended": 0, "counted": len(judged.records)}


async def test_it_goes_on_by_the_clock_while_the_server_is_silent(tmp_path: Path) -> None:
    """Open loop: a client that waits for answers would send 5 here, and hide what the others would have met."""
    silent = Server(lambda number: misbehaving.silent if after_warming_up(number) >= 0 else healthy)
    async with silent as server:
        judged = await judge(plan(server.url, rate=100, seconds=1.5, timeout=1), tmp_path)

    assert len(judged.records) >= 149
    gaps = [later.started - earlier.started for earlier, later in pairwise(judged.records)]
    assert statistics.mean(gaps) == pytest.approx(1 / 100, rel=0.1)
    assert {record.outcome for record in judged.records} == {Outcome.TIMED_OUT}
    assert all(0.9 < record.seconds < 1.5 for record in judged.records)


@pytest.mark.slow
async def test_it_says_so_when_it_falls_behind(tmp_path: Path) -> None:
    """The negative control of its own accuracy: no core sends so many."""
    async with Server() as server:
        behind = await judge(plan(server.url, rate=60_000, seconds=0.5, timeout=20), tmp_path)

    assert behind.summary["late"] > 100
    assert behind.summary["start_error_max_ms"] > 20
    assert "fell behind" in behind.complaints


async def test_what_could_not_be_sent_in_time_is_said(tmp_path: Path) -> None:
    async def keep_it_busy(process: asyncio.subprocess.Process) -> None:
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGSTOP)  # as a machine that is too busy does
        await asyncio.sleep(0.4)
        process.send_signal(signal.SIGCONT)

    async with Server() as server:
        judged = await judge(plan(server.url, rate=50, seconds=1.5), tmp_path, keep_it_busy)

    assert judged.summary["late"] > 5
    assert "fell behind" in judged.complaints
    waited = max(record.seconds for record in judged.records)
    assert waited > 0.2, "the time that a request waited for its start is part of its time"


@pytest.mark.parametrize(
    ("status", "said"), [("503 Service Unavailable", "is not answered: 5xx"), ("404 Not Found", "is not answered: 4xx")]
)
async def test_it_cannot_run_without_the_service(status: str, said: str, tmp_path: Path) -> None:
    async with Server(lambda _: answering(status)) as server:
        judged = await judge(plan(server.url, patience=1), tmp_path)

    assert judged.code == 2
    assert said in judged.said[-1]["reason"]


async def test_a_service_that_comes_up_late_is_waited_for(tmp_path: Path) -> None:
    async with Server(lambda number: healthy if number else answering("503 Not Yet")) as server:
        judged = await judge(plan(server.url, rate=50, seconds=1, subjects=1), tmp_path)

    assert {record.outcome for record in judged.records} == {Outcome.OK}


async def test_a_signal_before_the_first_request_ends_it_too() -> None:
    async with Server(lambda _: answering("503 Not Yet")) as server:
        variables = {**os.environ, VARIABLE: plan(server.url).as_json()}
        process = await asyncio.create_subprocess_exec(*COMMAND, env=variables, stdout=asyncio.subprocess.DEVNULL)
        await server.has_met(1)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 2


async def test_a_machine_that_runs_out_of_files_does_not_blame_the_service(tmp_path: Path) -> None:
    few_files = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh", *COMMAND)
    silent = Server(lambda number: misbehaving.silent if after_warming_up(number) >= 0 else healthy)
    async with silent as server:
        judged = await judge(plan(server.url, rate=100, seconds=3, timeout=2), tmp_path, command=few_files)

    assert judged.code == 2
    assert "this machine has run out of something: [Errno 24] Too many open files" in judged.said[-1]["reason"]


async def test_the_plan_of_the_configuration_is_sent_with_one_receipt_a_second(tmp_path: Path) -> None:
    configured = Plan.of(Project.find(Path(__file__)).configuration.judge, "", rate=50, seconds=2)
    async with Server() as server:
        judged = await judge(replace(configured, url=server.url, subjects=1, long_rate=0), tmp_path)

    sent = Counter(f"{record.method} {record.route}" for record in judged.records)
    assert sent["PUT /orders/{order_id}/receipt"] == 2
    assert sent.keys() == {request.operation for request in configured.requests}
    receipts = [request.line for request in server.requests if request.line.startswith("PUT")]
    assert set(receipts) == {"PUT /orders/7/receipt HTTP/1.1"}, "of an order that was acknowledged"
    keys = [request.headers["idempotency-key"] for request in server.requests if "POST /orders" in request.line]
    assert len(set(keys)) == len(keys)


# Raises where a module is imported that is not among what the judge may need.
ALONE = """
import runpy, sys
OURS = ("drydock", "drydock.core", "drydock.core.errors", "drydock.judge", "drydock.requests")

class Blocker:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        ours = name in OURS or name.startswith(("drydock.judge.", "drydock.requests."))
        if not (ours or top in sys.stdlib_module_names or top in ("httptools", "uvloop")):
            raise ImportError(f"the judge needs {name}")

sys.meta_path.insert(0, Blocker())
runpy.run_module("drydock.judge", run_name="__main__")
"""


async def test_it_needs_the_standard_library_uvloop_and_httptools_alone(tmp_path: Path) -> None:
    variables = {ENDPOINT: f"http://127.0.0.1:{free_port()}"}
    command = (sys.executable, "-c", ALONE)
    async with Server() as server:
        judged = await judge(plan(server.url, rate=50, seconds=1), tmp_path, variables=variables, command=command)

    assert judged.code == 0, judged.complaints
    assert len(judged.records) == pytest.approx(50, abs=1)
