"""No request is sent twice, each way to lose one is told apart, connections move on: by real connections.

The clients run as locust runs them, in a process of their own, against a server that misbehaves.
"""

import asyncio
import socket
from pathlib import Path

import pytest

from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from tests.integration.app.service import free_port
from tests.integration.drydock.misbehaving import Behaviour, answering, closing, healthy, resetting, saying, silent
from tests.integration.loadtest.locust import run_alone
from tests.integration.loadtest.shop import Shop

pytestmark = pytest.mark.slow

ONCE = str(Path(__file__).with_name("once.py"))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


async def sent_to(url: str, **parameters: object) -> list[Record]:
    """The records of one user that sends one request, or LOAD_REQUESTS."""
    return await asyncio.to_thread(run_alone, url, ONCE, **{"timeout": 1, **parameters})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("lost", [closing, resetting])
async def test_a_dropped_connection_is_one_failure_and_the_server_saw_the_request_once(
    lost: Behaviour, method: str
) -> None:
    async with Shop(lambda number: healthy if number else lost) as server:
        (record,) = await sent_to(server.url, method=method)
        assert record.outcome in (Outcome.CLOSED_EARLY, Outcome.RESET)
        assert len(server.requests) == 1


async def test_the_client_as_it_comes_hides_the_drop() -> None:
    """The negative control: the same measurement, without the switch, reports a success."""
    async with Shop(lambda number: healthy if number else closing) as server:
        (record,) = await sent_to(server.url, retries="on")
        assert record.outcome is Outcome.OK
        assert len(server.requests) == 2, "it was sent again, and nobody was told"


@pytest.mark.parametrize(
    ("behaviour", "outcome", "status"),
    [
        (healthy, Outcome.OK, 200),
        (answering("201 Created"), Outcome.OK, 201),
        (answering("307 Temporary Redirect\r\nLocation: /products"), Outcome.CLIENT_ERROR, 307),
        (answering("404 Not Found"), Outcome.CLIENT_ERROR, 404),
        (answering("503 Service Unavailable\r\nRetry-After: 0"), Outcome.SERVER_ERROR, 503),
        (resetting, Outcome.RESET, 0),
        (closing, Outcome.CLOSED_EARLY, 0),
        (saying(b"HTTP/1.1 200 OK\r\nCont"), Outcome.CLOSED_EARLY, 0),
        (saying(HEAD + b"half"), Outcome.TRUNCATED, 200),
        (saying(HEAD + b"half", then=resetting), Outcome.TRUNCATED, 200),
        (saying(CHUNKED), Outcome.TRUNCATED, 200),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Outcome.TRUNCATED, 0),
        (silent, Outcome.TIMED_OUT, 0),
        (saying(HEAD + b"half", then=silent), Outcome.TIMED_OUT, 200),
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
        "reset within the body",
        "closed within the chunks",
        "not HTTP",
        "silent",
        "silent within the body",
    ],
)
async def test_what_a_server_does_decides_the_outcome(behaviour: Behaviour, outcome: Outcome, status: int) -> None:
    async with Shop(lambda _: behaviour) as server:
        (record,) = await sent_to(server.url)
        assert (record.outcome, record.status) == (outcome, status), record
        assert len(server.requests) == 1, "it was sent again"


async def test_nobody_there_is_a_refusal() -> None:
    (record,) = await sent_to(f"http://127.0.0.1:{free_port()}")
    assert (record.outcome, record.status, record.pod) == (Outcome.REFUSED, 0, "")


async def test_a_name_that_nobody_knows_is_a_refusal() -> None:
    (record,) = await sent_to("http://nobody.invalid", timeout=5)
    assert record.outcome is Outcome.REFUSED


async def test_a_listener_that_does_not_accept_times_out() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):  # the backlog holds this one and no other
            (record,) = await sent_to(f"http://127.0.0.1:{full.getsockname()[1]}")
            assert record.outcome is Outcome.TIMED_OUT
            assert record.seconds == pytest.approx(1, abs=0.3)


async def test_the_whole_request_has_one_limit_however_slowly_its_body_drips() -> None:
    def dripping(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for number in range(20):
            asyncio.get_running_loop().call_later(0.2 * number, writer.write, b".")

    async with Shop(lambda _: dripping) as server:
        (record,) = await sent_to(server.url)
        assert record.outcome is Outcome.TIMED_OUT
        assert record.seconds == pytest.approx(1, abs=0.3)


async def test_a_connection_lives_for_its_number_of_requests() -> None:
    async with Shop() as server:
        assert len(await sent_to(server.url, requests=10, connection_requests=5)) == 10
        assert server.connections == 2


async def test_a_connection_lives_for_its_seconds() -> None:
    async with Shop() as server:
        await sent_to(server.url, requests=6, gap=0.2, connection_seconds=0.5)
        assert server.connections == 2


@pytest.mark.slow
async def test_a_connection_that_was_idle_for_4_s_is_not_used_again() -> None:
    async with Shop() as server:
        await sent_to(server.url, requests=2, gap=4.1, connection_seconds=60)
        assert server.connections == 2


async def test_a_connection_that_broke_is_not_used_again() -> None:
    async with Shop(lambda number: healthy if number else silent) as server:
        records = await sent_to(server.url, requests=2, timeout=0.3)
        assert [record.outcome for record in records] == [Outcome.TIMED_OUT, Outcome.OK]
        assert server.connections == 2


async def test_a_record_says_who_answered_what_and_when() -> None:
    async with Shop() as server:
        (record,) = await sent_to(server.url, method="POST", body='{"lines": []}')
        assert (record.method, record.route, record.pod) == ("POST", "/orders/{order_id}", "pod-a")
        assert record.intended == record.started
        assert 0 < record.seconds < 1
        assert record.worker
