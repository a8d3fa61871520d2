"""Each way to lose a request is told apart, by real connections to a server that misbehaves; none is tried twice."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from drydock.core.errors import CannotRunError
from drydock.judge.answers import Answers
from drydock.judge.exchange import Exchange, Lane, RequestWriter
from drydock.judge.plan import Request
from drydock.judge.sender import Sender, resolve
from drydock.requests.outcome import Outcome
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
from tests.uvloop_policy import ON_UVLOOP, event_loop_policy  # noqa: F401 - a fixture

READ = Request("GET", "/products/{product_id}", "/products/7")
ORDER = Request("POST", "/orders", "/orders", body='{"lines": []}', key=True)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
TIMEOUT = 1.0

pytestmark = ON_UVLOOP


class Client:
    """The judge's sender with one kept connection; sends a request and waits for what becomes of it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._ended: dict[int, asyncio.Future[None]] = {}
        self._writer = RequestWriter(parts.netloc, Answers([]))
        self._sender = Sender((parts.hostname or "", parts.port or 80), 1, self._end, "X-Served-By")

    async def send(self, lane: Lane = Lane.FRESH, request: Request = READ, connection: int = 0) -> Exchange:
        now = time.monotonic()
        written = self._writer.write(request, lane, 0)
        exchange = Exchange(now, now, lane, request, written.head, written.body, written.key, now + TIMEOUT)
        exchange.connection = connection
        ended = self._ended[id(exchange)] = asyncio.get_running_loop().create_future()
        self._sender.send(exchange)
        await ended
        return exchange

    async def close(self) -> None:
        await self._sender.close()

    def _end(self, exchange: Exchange) -> None:
        self._ended.pop(id(exchange)).set_result(None)


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Client]:
    opened = Client(url)
    try:
        yield opened
    finally:
        await opened.close()


async def sent_to(server: Server, lane: Lane = Lane.FRESH, request: Request = READ) -> Exchange:
    async with client(server.url) as opened:
        return await opened.send(lane, request)


@pytest.mark.parametrize("lane", [Lane.FRESH, Lane.KEPT])
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
        exchange = await sent_to(server, lane)
        assert exchange.outcome is outcome, exchange
        assert len(server.requests) == server.connections == 1, "it was sent again"


async def test_an_order_that_was_lost_is_not_sent_again() -> None:
    async with Server(lambda _: resetting) as server:
        lost = await sent_to(server, request=ORDER)
        assert lost.outcome is Outcome.RESET
        assert [request.headers["idempotency-key"] for request in server.requests] == [lost.key]


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
        async with client(f"http://127.0.0.1:{bound.getsockname()[1]}") as opened:
            assert (await opened.send()).outcome is Outcome.REFUSED


async def test_a_name_that_nobody_knows_is_no_outcome_for_it_is_asked_for_once_beforehand() -> None:
    with pytest.raises(CannotRunError, match=r"nobody.invalid has no address"):
        await resolve("http://nobody.invalid")


async def test_a_listener_that_does_not_accept_times_out() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):  # the backlog holds this one and no other
            async with client(f"http://127.0.0.1:{full.getsockname()[1]}") as opened:
                assert (await opened.send()).outcome is Outcome.TIMED_OUT


@pytest.mark.parametrize(
    ("second", "outcome"), [(closing, Outcome.CLOSED_EARLY), (resetting, Outcome.RESET)], ids=["closed", "reset"]
)
async def test_a_kept_connection_that_dies_under_a_request_loses_that_request(
    second: Behaviour, outcome: Outcome
) -> None:
    async with Server(lambda number: second if number else healthy) as server, client(server.url) as opened:
        sent = [await opened.send(Lane.KEPT) for _ in range(2)]
        assert [exchange.outcome for exchange in sent] == [Outcome.OK, outcome]
        assert (server.connections, len(server.requests)) == (1, 2)


async def test_the_kept_lane_keeps_its_connection_and_the_fresh_one_does_not() -> None:
    async with Server() as server, client(server.url) as opened:
        for _ in range(3):
            assert (await opened.send(Lane.KEPT)).outcome is Outcome.OK
        assert server.connections == 1
        for _ in range(3):
            assert (await opened.send(Lane.FRESH)).outcome is Outcome.OK
        assert server.connections == 4


async def test_a_connection_that_was_retired_is_not_used_again() -> None:
    async with Server(lambda _: answering("200 OK\r\nConnection: close")) as server, client(server.url) as opened:
        for _ in range(2):
            assert (await opened.send(Lane.KEPT)).outcome is Outcome.OK
        assert server.connections == 2


async def test_an_answer_says_which_pod_gave_it() -> None:
    async with Server() as server:
        assert (await sent_to(server)).pod == "pod-a"
    named = HEAD.replace(b"Content-Length", b"X-Served-By: pod-b\r\nContent-Length")
    async with Server(lambda _: saying(named)) as cut:
        assert (await sent_to(cut)).pod == "pod-b", "also where the rest of it is missing"


async def test_no_proxy_stands_between_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Server() as server:
        assert (await sent_to(server)).outcome is Outcome.OK
