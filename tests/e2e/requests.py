"""A steady stream of requests through the Service, without retries, with an outcome for every request."""

import asyncio
import collections
import threading
import time
import uuid
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx2

from drydock.requests.keep_alive import IDLE_SECONDS
from tests.e2e.cluster import SERVICE_URL

# The three lanes send this often each; together they stay far below what one pod serves.
PER_SECOND = 20
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Outcome:
    """The outcome of one request: its status, or the name of the error if there was no response."""

    lane: str
    sent_at: float
    seconds: float
    status: int | None
    failure: str | None = None
    served_by: str | None = None
    order_key: str | None = None

    @property
    def lost(self) -> bool:
        """Whether the status is anything but 200 or 201."""
        return self.status not in (200, 201)

    @property
    def result(self) -> str:
        """The status or the failure, as text."""
        return self.failure or str(self.status)


@dataclass
class SteadyRequests:
    """Sends requests during the `with` block: on fresh and on kept-alive connections, and orders on kept-alive ones."""

    product_id: int
    outcomes: list[Outcome] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def lost(self) -> list[Outcome]:
        """The lost requests."""
        return [outcome for outcome in self.outcomes if outcome.lost]

    @property
    def acknowledged_orders(self) -> set[str]:
        """The keys of the orders with a 201 response."""
        return {outcome.order_key for outcome in self.outcomes if outcome.order_key and outcome.status == 201}

    def answered_after(self, moment: float) -> list[Outcome]:
        """The successful requests sent after this moment (time.monotonic)."""
        return [outcome for outcome in list(self.outcomes) if outcome.sent_at > moment and not outcome.lost]

    def summary(self) -> str:
        """The counts by lane and outcome, for messages."""
        counts = collections.Counter(f"{outcome.lane} {outcome.result}" for outcome in self.outcomes)
        return ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))

    async def _send(self) -> None:
        fresh, kept_alive = httpx2.Limits(max_keepalive_connections=0), httpx2.Limits(keepalive_expiry=IDLE_SECONDS)
        async with (
            httpx2.AsyncClient(base_url=SERVICE_URL, timeout=TIMEOUT_SECONDS, limits=fresh) as new,
            httpx2.AsyncClient(base_url=SERVICE_URL, timeout=TIMEOUT_SECONDS, limits=kept_alive) as kept,
            asyncio.TaskGroup() as requests,
        ):
            # Open loop: a slow answer does not delay the next request.
            due = time.monotonic()
            while not self._stop.is_set():
                requests.create_task(self._read("fresh", new))
                requests.create_task(self._read("kept-alive", kept))
                requests.create_task(self._order(kept))
                due += 1 / PER_SECOND
                await asyncio.sleep(max(0, due - time.monotonic()))

    async def _read(self, lane: str, client: httpx2.AsyncClient) -> None:
        await self._account(lane, client.build_request("GET", f"/products/{self.product_id}"), client)

    async def _order(self, client: httpx2.AsyncClient) -> None:
        key = uuid.uuid4().hex
        body = {"lines": [{"product_id": self.product_id, "quantity": 1}]}
        request = client.build_request("POST", "/orders", json=body, headers={"Idempotency-Key": key})
        await self._account("order", request, client, key)

    async def _account(
        self, lane: str, request: httpx2.Request, client: httpx2.AsyncClient, order_key: str | None = None
    ) -> None:
        sent_at = time.monotonic()
        try:
            answer = await client.send(request)
        except httpx2.HTTPError as error:
            seconds = time.monotonic() - sent_at
            self.outcomes.append(Outcome(lane, sent_at, seconds, None, type(error).__name__, order_key=order_key))
        else:
            seconds, served_by = time.monotonic() - sent_at, answer.headers.get("X-Served-By")
            self.outcomes.append(Outcome(lane, sent_at, seconds, answer.status_code, None, served_by, order_key))
