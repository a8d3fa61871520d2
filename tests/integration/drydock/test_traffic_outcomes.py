"""Each way to lose a request is told apart, by real connections to a server that misbehaves; none is tried twice."""

import asyncio
import socket

import pytest

from drydock.requests.outcome import Outcome
from drydock.traffic.client import Answer, Client, Lane, Operation
from tests.integration.drydock.misbehaving import (
    Behaviour,
    Server,
    answering,
    closing,
    healthy,
    resetting,
    saying,
    silent,
)

READ = Operation("GET", "/products/{product_id}", "/products/7")
ORDER = Operation("POST", "/orders", "/orders", {"lines": []}, idempotency_key="one")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
TIMEOUT = 0.3


async def sent_to(server: Server, lane: Lane = Lane.FRESH, operation: Operation = READ) -> Answer:
    async with Client(server.url, TIMEOUT) as client:
        return await client.send(lane, operation)


@pytest.mark.parametrize("lane", Lane)
@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (healthy, Outcome.OK),
        (answering("201 Created"), Outcome.OK),
        (answering("307 Temporary Redirect\r\nLocation: /"), Outcome.CLIENT_ERROR),
        (answering("404 Not Found"), Outcome.CLIENT_ERROR),
        (answering("503 Service Unavailable\r\nRetry-After: 0"), Outcome.SERVER_ERROR),
        (resetting, Outcome.RESET),
        (closing, Outcome.CLOSED_EARLY),
        (saying(b"HTTP/1.1 200 OK\r\nCont"), Outcome.CLOSED_EARLY),
        (saying(HEAD + b"half"), Outcome.TRUNCATED),
        (saying(CHUNKED), Outcome.TRUNCATED),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Outcome.TRUNCATED),
        (silent, Outcome.TIMED_OUT),
        (saying(HEAD + b"half", then=silent), Outcome.TIMED_OUT),
    ],
    ids=[
        "healthy",
        "created",
        "redirected",
        "not found",
        "unavailable",
        "reset",
        "closed without a word",
        "closed within the head",
        "closed within the body",
        "closed within the chunks",
        "not HTTP",
        "silent",
        "silent within the body",
    ],
)
async def test_what_a_server_does_decides_the_outcome(behaviour: Behaviour, outcome: Outcome, lane: Lane) -> None:
    async with Server(lambda _: behaviour) as server:
        answer = await sent_to(server, lane)
        assert answer.outcome is outcome, answer
        assert len(server.requests) == server.connections == 1, "it was sent again"


async def test_an_order_that_was_lost_is_not_sent_again() -> None:
    async with Server(lambda _: resetting) as server:
        assert (await sent_to(server, operation=ORDER)).outcome is Outcome.RESET
        assert [request.headers["idempotency-key"] for request in server.requests] == ["one"]


async def test_a_reset_within_the_body_is_a_truncated_response() -> None:
    body_sent = asyncio.Event()

    def answer_and_wait(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"half")
        asyncio.get_running_loop().call_later(0.05, resetting, writer)
        body_sent.set()

    async with Server(lambda _: answer_and_wait) as server:
        assert (await sent_to(server)).outcome is Outcome.TRUNCATED
        assert body_sent.is_set()


async def test_nobody_who_listens_is_a_refusal() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with Client(f"http://127.0.0.1:{bound.getsockname()[1]}", TIMEOUT) as client:
            assert (await client.send(Lane.FRESH, READ)).outcome is Outcome.REFUSED


async def test_a_name_that_nobody_knows_is_a_refusal() -> None:
    async with Client("http://nobody.invalid", 5) as client:
        assert (await client.send(Lane.FRESH, READ)).outcome is Outcome.REFUSED


async def test_a_listener_that_does_not_accept_times_out() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):  # the backlog holds this one and no other
            async with Client(f"http://127.0.0.1:{full.getsockname()[1]}", TIMEOUT) as client:
                assert (await client.send(Lane.FRESH, READ)).outcome is Outcome.TIMED_OUT


@pytest.mark.parametrize(
    ("second", "outcome"), [(closing, Outcome.CLOSED_EARLY), (resetting, Outcome.RESET)], ids=["closed", "reset"]
)
async def test_a_kept_connection_that_dies_under_a_request_loses_that_request(
    second: Behaviour, outcome: Outcome
) -> None:
    async with Server(lambda number: second if number else healthy) as server, Client(server.url, TIMEOUT) as client:
        answers = [await client.send(Lane.KEPT, READ) for _ in range(2)]
        assert [answer.outcome for answer in answers] == [Outcome.OK, outcome]
        assert (server.connections, len(server.requests)) == (1, 2)


async def test_the_kept_lane_keeps_its_connection_and_the_fresh_one_does_not() -> None:
    async with Server() as server, Client(server.url, TIMEOUT) as client:
        for _ in range(3):
            assert (await client.send(Lane.KEPT, READ)).outcome is Outcome.OK
        assert server.connections == 1
        for _ in range(3):
            assert (await client.send(Lane.FRESH, READ)).outcome is Outcome.OK
        assert server.connections == 4


async def test_a_connection_that_was_retired_is_not_used_again() -> None:
    async with (
        Server(lambda _: answering("200 OK\r\nConnection: close")) as server,
        Client(server.url, TIMEOUT) as client,
    ):
        for _ in range(2):
            assert (await client.send(Lane.KEPT, READ)).outcome is Outcome.OK
        assert server.connections == 2


async def test_an_answer_says_which_pod_gave_it() -> None:
    async with Server() as server:
        assert (await sent_to(server)).served_by == "pod-a"
    async with Server(
        lambda _: saying(HEAD.replace(b"Content-Length", b"X-Served-By: pod-b\r\nContent-Length"))
    ) as cut:
        assert (await sent_to(cut)).served_by == "pod-b", "also where the rest of it is missing"


async def test_no_proxy_stands_between_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Server() as server:
        assert (await sent_to(server)).outcome is Outcome.OK
