"""Open-loop traffic on kept-alive connections, without retries, with an outcome for every request."""

import asyncio
import time
from collections import Counter
from typing import NamedTuple

import httpx2


class Outcome(NamedTuple):
    """One request: its send time (wall clock), its status or the name of the error, and its duration in seconds."""

    sent: float
    result: int | str
    seconds: float
    retry_after: str | None = None

    @property
    def lost(self) -> bool:
        """Whether the request got no response."""
        return isinstance(self.result, str)


class Traffic:
    """Sends GET requests to `url` at `rate` per second. Use it as an async context manager."""

    def __init__(self, url: str, rate: float, connections: int = 20) -> None:
        self.outcomes: list[Outcome] = []
        self._url = url
        self._rate = rate
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=connections)
        self._client = httpx2.AsyncClient(limits=limits, timeout=20)
        self._requests: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Traffic":
        self._clock = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._clock.cancel()
        await asyncio.gather(*self._requests)
        await self._client.aclose()

    def counted(self, since: float = 0, until: float = float("inf")) -> Counter[int | str]:
        """The results of the requests sent between two times, with their counts."""
        return Counter(outcome.result for outcome in self.outcomes if since <= outcome.sent < until)

    def failures(self, until: float = float("inf")) -> list[Outcome]:
        """The requests sent before `until` that did not get a 200."""
        return [outcome for outcome in self.outcomes if outcome.sent < until and outcome.result != 200]

    async def _run(self) -> None:
        began, number = time.monotonic(), 0
        while True:
            number += 1
            await asyncio.sleep(max(0, began + number / self._rate - time.monotonic()))
            request = asyncio.create_task(self._send())
            self._requests.add(request)
            request.add_done_callback(self._requests.discard)

    async def _send(self) -> None:
        sent = time.time()

        async def note(event: str, _details: object) -> None:
            # Take the time of the system call: this process may be busy before it.
            nonlocal sent
            if event in ("connection.connect_tcp.started", "http11.send_request_headers.started"):
                sent = time.time()

        try:
            response = await self._client.get(self._url, extensions={"trace": note})
        except httpx2.TransportError as error:
            self.outcomes.append(Outcome(sent, type(error).__name__, time.time() - sent))
        else:
            retry_after = response.headers.get("Retry-After")
            self.outcomes.append(Outcome(sent, response.status_code, time.time() - sent, retry_after))
