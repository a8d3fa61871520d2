"""Sending one request, once: on a connection of its own, or on one that is kept alive."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import httpx2

from drydock.requests.outcome import Outcome, of_status
from drydock.traffic.errors import of_error

# Below the 5 s after which uvicorn closes an idle connection: a request sent at that moment would be lost, and nobody's
# fault.
KEEP_ALIVE_SECONDS = 4.0


class Lane(StrEnum):
    """How a request gets its connection. Behind a Service, a new one meets any pod, a kept one its own."""

    FRESH = "fresh"
    KEPT = "kept"


@dataclass(frozen=True)
class Operation:
    """A request to be sent; `route` is its path with names in place of the values."""

    method: str
    route: str
    path: str
    body: Mapping[str, Any] | None = None
    idempotency_key: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to the request itself."""
        return {"Idempotency-Key": self.idempotency_key} if self.idempotency_key else {}


@dataclass(frozen=True)
class Answer:
    """What became of a request. `reason` is the error's own words where no whole response came."""

    outcome: Outcome
    status: int | None = None
    served_by: str | None = None
    body: bytes = b""
    reason: str = ""


class Client:
    """The two lanes to one service. Use it as an async context manager. It never sends a request twice."""

    def __init__(self, url: str, timeout: float) -> None:
        self.url = url
        self._timeout = timeout
        self._lanes = {
            Lane.FRESH: _opened(url, httpx2.Limits(max_connections=None, max_keepalive_connections=0)),
            Lane.KEPT: _opened(url, httpx2.Limits(max_connections=None, keepalive_expiry=KEEP_ALIVE_SECONDS)),
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for lane in self._lanes.values():
            await lane.aclose()

    async def send(self, lane: Lane, operation: Operation, headers: Mapping[str, str] | None = None) -> Answer:
        """Sends it and reads the whole response, within the timeout.

        Raises:
            ExhaustedError: this machine could not send it.
        """
        response: httpx2.Response | None = None
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._lanes[lane].stream(
                    operation.method,
                    operation.path,
                    json=operation.body,
                    headers={**operation.headers, **(headers or {})},
                ) as response,
            ):
                body = await response.aread()
        except (httpx2.HTTPError, TimeoutError) as error:
            outcome = of_error(error, began=response is not None)
            return Answer(outcome, *_origin(response), reason=str(error) or type(error).__name__)
        return Answer(of_status(response.status_code), *_origin(response), body)


def _opened(url: str, limits: httpx2.Limits) -> httpx2.AsyncClient:
    # One bound for the whole request instead of one for each of its parts; no proxy, whatever the environment says.
    return httpx2.AsyncClient(base_url=url, limits=limits, timeout=None, trust_env=False)


def _origin(response: httpx2.Response | None) -> tuple[int | None, str | None]:
    return (response.status_code, response.headers.get("X-Served-By")) if response else (None, None)
