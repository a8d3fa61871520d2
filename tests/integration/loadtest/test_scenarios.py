"""Every scenario, run for real for a few seconds: its records are what the server saw, one for one."""

import asyncio
from collections import Counter

import pytest

from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from tests.integration.drydock.misbehaving import answering, closing, healthy, resetting
from tests.integration.loadtest.locust import Account, Run, run
from tests.integration.loadtest.shop import Shop, after
from tests.polling import poll_until_async

pytestmark = pytest.mark.slow

MIX = "browse=1,order=1,receipt=1"
SCENARIOS = {
    "steady": {"users": 10, "seconds": 3},
    "ramp": {"users": 12, "ramp_seconds": 2, "seconds": 1},
    "step": {
        "base_users": 2,
        "base_seconds": 1,
        "step_users": 10,
        "step_seconds": 2,
        "after_users": 2,
        "after_seconds": 1,
    },
    "spike": {"users": 2, "spike_users": 10, "spike_seconds": 1, "every": 2, "seconds": 4},
    "soak": {"users": 8, "seconds": 3},
}


async def account_of(server: Shop, scenario: str, workers: int = 1, **parameters: object) -> Account:
    """A whole run against the server."""
    return await asyncio.to_thread(run, server.url, scenario, workers, **{"pause": 0.1, **parameters})


def routes(records: list[Record]) -> Counter[str]:
    return Counter(f"{record.method} {record.route}" for record in records)


def seen_by(server: Shop) -> Counter[str]:
    """The same of what arrived: the paths are the routes, as there is one product and one order."""
    names = {"/products/7": "/products/{product_id}", "/orders/7": "/orders/{order_id}"}
    names["/orders/7/receipt"] = "/orders/{order_id}/receipt"
    lines = [request.line.split(" ") for request in server.requests]
    paths = [(method, path.partition("?")[0]) for method, path, _ in lines]
    return Counter(f"{method} {names.get(path, path)}" for method, path in paths)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_scenario_accounts_for_every_request(scenario: str) -> None:
    async with Shop() as server:
        account = await account_of(server, scenario, mix=MIX, **SCENARIOS[scenario])
        assert account.code == 0, account.said
        assert routes(account.records) == seen_by(server)
        assert len(account.records) == account.last["sent"] > 20
        assert {record.outcome for record in account.records} == {Outcome.OK}, account.said


async def test_two_workers_share_the_load_and_lose_no_record() -> None:
    async with Shop() as server:
        account = await account_of(server, "steady", workers=2, users=10, seconds=3)
        assert len(account.records) == len(server.requests)
        counts = Counter(record.worker for record in account.records)
        assert len(counts) == 2
        assert min(counts.values()) > len(account.records) / 3, counts


async def test_the_end_waits_for_what_is_under_way() -> None:
    async with Shop(lambda _: after(2)) as server:
        account = await account_of(server, "steady", users=6, seconds=1, mix="order=1")
        assert len(account.records) == len(server.requests)
        assert max(record.seconds for record in account.records) > 1.9


async def test_an_end_by_hand_accounts_for_all_that_was_sent() -> None:
    async with Shop(lambda _: after(0.5)) as server:
        with Run(server.url, "loadtest/scenarios/steady.py", users=20, seconds=600, pause=0.1) as running:

            async def begun() -> bool:
                return len(server.requests) > 40

            await poll_until_async(begun, "some requests")
            running.end()
            account = await asyncio.to_thread(running.wait)
        assert len(account.records) == len(server.requests) == account.last["sent"]
        assert account.last["over"]


async def test_every_loss_is_in_the_records_and_in_the_last_line() -> None:
    bad = {20: closing, 25: resetting, 30: answering("500 Oh"), 35: answering("404 No")}
    async with Shop(lambda number: bad.get(number, healthy)) as server:
        account = await account_of(server, "steady", users=10, seconds=4, mix="order=1")
        lost = Counter(str(record.outcome) for record in account.records if record.lost)
        assert lost == {"closed_early": 1, "reset": 1, "5xx": 1, "4xx": 1}
        assert {name: count for name, count in account.last["outcomes"].items() if count and name != "ok"} == lost
        assert account.last["failed"] == 4
        assert len(server.requests) == len(account.records)


async def test_users_send_less_to_a_slow_service_which_is_why_there_is_a_judge() -> None:
    async with Shop(lambda _: after(1)) as server:
        closed = await account_of(server, "steady", users=3, seconds=4, mix="order=1", pause=0)
    assert len(closed.records) < 20


async def test_orders_have_keys_that_name_the_run_and_none_is_used_twice() -> None:
    async with Shop() as server:
        account = await account_of(server, "steady", users=5, seconds=3, mix="order=1", run="20260101-steady")
        sent = [request.headers["idempotency-key"] for request in server.requests if "POST /orders" in request.line]
    keys = [record.key for record in account.records if record.method == "POST"]
    assert sorted(keys) == sorted(sent)
    assert len(set(keys)) == len(keys) > 10
    assert all(key.startswith("20260101-steady-") for key in keys)
    assert not [record for record in account.records if record.key and record.method != "POST"]


async def test_only_what_a_run_cannot_sell_out_is_ordered() -> None:
    async with Shop() as server:
        await account_of(server, "steady", users=4, seconds=2, mix="order=1")
        assert any("limit=50" in request.line for request in server.requests), "the shelf was looked at first"


async def test_a_knob_that_is_no_number_ends_the_run_before_it_begins() -> None:
    async with Shop() as server:
        with Run(server.url, "loadtest/scenarios/steady.py", users="many") as running:
            code = await asyncio.to_thread(running.master.wait, 30)
            assert code != 0
            assert "LOAD_USERS is 'many'" in running.said
        assert not server.requests
