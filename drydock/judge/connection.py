"""One raw connection: writes a request, reads its response, and classifies its end."""

import asyncio
import select
from collections.abc import Callable
from typing import cast

import httptools

from drydock.judge.exchange import Exchange
from drydock.requests.outcome import Outcome, of_status

# How often a piece of a long request's body is sent.
PIECE_SECONDS = 0.5
# Of an answer that is not good, so much is kept as the reason.
SAID_BYTES = 160
FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class Connection(asyncio.Protocol):
    """A connection carries one exchange at a time; `on_end` is called once for each, `on_gone` when it is no more."""

    def __init__(
        self,
        number: int,
        on_end: Callable[["Connection", Exchange], None],
        on_gone: Callable[["Connection"], None],
        served_by: bytes = b"",
    ) -> None:
        self.number = number
        self.port = 0
        self.idle_since = 0.0
        self.reusable = False
        self._position = 0
        self._on_end = on_end
        self._on_gone = on_gone
        self._served_by = served_by
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._framed = False
        self._trickle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass

    def send(self, exchange: Exchange, over: float = 0.0) -> None:
        """Writes a request: its body at once, or in pieces over so many seconds."""
        assert self._transport is not None  # noqa: S101 - it is sent on when it is made
        exchange.connection, exchange.port, exchange.position = self.number, self.port, self._position
        self._position += 1
        self._exchange = exchange
        self._parser, self._framed, self.reusable = httptools.HttpResponseParser(self), False, False
        if over:
            self._transport.write(exchange.head)
            self._send_piece(exchange, max(1, int(over / PIECE_SECONDS)), 0)
        else:
            self._transport.write(exchange.head + exchange.body)

    @property
    def ended_by_server(self) -> bool:
        """Whether the server has closed the idle connection. The event loop may read the FIN only in its next turn."""
        if self._transport is None or self._transport.is_closing():
            return True
        poller = select.poll()
        poller.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poller.poll(0))

    def close(self) -> None:
        """Ends it, in good order."""
        if self._transport is not None:
            self._transport.close()

    def time_out(self) -> None:
        """Gives the exchange up."""
        self._end(Outcome.TIMED_OUT, "no whole response in time")
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """A piece of the response."""
        if self._exchange is None or self._parser is None:
            self.close()  # an answer without a request
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            self._fail(error)
        except httptools.HttpParserError as error:
            self._fail(error)

    def eof_received(self) -> None:
        """The server sent FIN, which ends a response without a length (RFC 9112, 6.3)."""
        exchange = self._exchange
        if exchange is not None and exchange.began and not self._framed:
            self.on_message_complete()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed, by either side."""
        if (exchange := self._exchange) is not None:
            reason = str(error) if error else "closed by the server"
            if exchange.began:
                self._end(Outcome.TRUNCATED, reason)
            else:
                self._end(Outcome.RESET if error else Outcome.CLOSED_EARLY, reason)
        self._on_gone(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the response."""
        lower = name.lower()
        if lower in FRAMING:
            self._framed = True
        elif lower == self._served_by and self._exchange is not None:
            self._exchange.pod = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head of the response is there."""
        if self._exchange is not None and self._parser is not None:
            self._exchange.began = True
            self._exchange.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        """A part of the response body. Requests that need the answer keep all of it, others a few bytes."""
        if self._exchange is not None:
            self._exchange.answer += body

    def on_message_complete(self) -> None:
        """The whole response is there. One of 1xx comes before the real one."""
        exchange, parser = self._exchange, self._parser
        if exchange is None or parser is None:
            return
        if exchange.status < 200:
            exchange.began = False
            return
        self.reusable = self._framed and parser.should_keep_alive() and self._trickle is None
        outcome = of_status(exchange.status)
        self._end(outcome, "" if outcome is Outcome.OK else exchange.answer[:SAID_BYTES].decode(errors="replace"))

    def _send_piece(self, exchange: Exchange, pieces: int, number: int) -> None:
        """Sends a piece of the body; the last one at the end of the time."""
        self._trickle = None
        if self._exchange is not exchange or self._transport is None or self._transport.is_closing():
            return
        size = len(exchange.body)
        self._transport.write(exchange.body[size * number // (pieces + 1) : size * (number + 1) // (pieces + 1)])
        if number < pieces:
            loop = asyncio.get_running_loop()
            self._trickle = loop.call_later(PIECE_SECONDS, self._send_piece, exchange, pieces, number + 1)

    def _fail(self, error: Exception) -> None:
        """The response is not HTTP."""
        self._end(Outcome.TRUNCATED, str(error) or type(error).__name__)
        if self._transport is not None:
            self._transport.abort()

    def _end(self, outcome: Outcome, reason: str) -> None:
        exchange, self._exchange = self._exchange, None
        if self._trickle is not None:
            self._trickle.cancel()
        if exchange is not None:
            exchange.outcome, exchange.reason = outcome, reason
            self._on_end(self, exchange)
