"""One request and what becomes of it, and the bytes that it is made of."""

import random
from dataclasses import dataclass
from enum import StrEnum

from drydock.judge.plan import SUBJECT, Request
from drydock.requests.outcome import Outcome

# One trace in twenty is kept: the trace context's flag tells the service (w3.org/TR/trace-context, 3.2.2.5).
TRACED_BYTES = 13
TRACED, NOT_TRACED = "01", "00"


class Lane(StrEnum):
    """How a request gets its connection, and how long it takes to be sent."""

    FRESH = "fresh"
    KEPT = "kept"
    LONG = "long"


@dataclass(slots=True)
class Exchange:
    """A request on its way; `due` and `started` in seconds of the monotonic clock: the event loop's own
    is the same one, but uvloop's has a grain of 1 ms.

    `connection` counts the connections of a run, `position` the requests on one, from 0. `began` is whether a
    response's head has come.
    """

    due: float
    started: float
    lane: Lane
    request: Request
    head: bytes
    body: bytes
    key: str
    deadline: float
    connection: int = 0
    position: int = 0
    status: int = 0
    began: bool = False
    pod: str = ""
    answer: bytes = b""
    outcome: Outcome | None = None
    reason: str = ""


def sampled(trace: str) -> bool:
    """Whether the trace of this identifier (32 hexadecimal digits) is to be kept: told by its last byte."""
    return int(trace[-2:], 16) < TRACED_BYTES


class RequestWriter:
    """Writes the heads and bodies of requests to one host."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.subjects: list[str] = []

    def write(self, request: Request, lane: Lane, number: int) -> tuple[bytes, bytes, str]:
        """Head, body and Idempotency-Key (empty without one) of the request of this number."""
        subject = self.subjects[number % len(self.subjects)] if self.subjects else ""
        path, body = (text.replace(SUBJECT, subject) for text in (request.path, request.body))
        trace = f"{random.getrandbits(128):032x}"
        flag = TRACED if sampled(trace) else NOT_TRACED
        lines = [
            f"{request.method} {path} HTTP/1.1",
            f"Host: {self._host}",
            f"traceparent: 00-{trace}-{trace[:16]}-{flag}",
        ]
        if request.key:
            lines.append(f"Idempotency-Key: {trace}")
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
        if lane is not Lane.KEPT:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode(), body.encode(), trace if request.key else ""
