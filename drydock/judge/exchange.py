"""One request with its outcome, and the bytes of requests."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from drydock.judge.answers import Answers
from drydock.judge.plan import ANSWER, SUBJECT, Request
from drydock.requests.outcome import Outcome

# One trace in twenty is sampled, by the flag of the trace context (w3.org/TR/trace-context, 3.2.2.5).
TRACED_BYTES = 13
TRACED, NOT_TRACED = "01", "00"
# Methods with a body. Without one they send a Content-Length of 0 (RFC 9110, 8.6).
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Lane(StrEnum):
    """The ways to get a connection and to send a request."""

    FRESH = "fresh"
    KEPT = "kept"
    LONG = "long"
    IDLE = "idle"
    PROBE = "probe"


# The lanes whose connections serve several requests.
REUSED = frozenset({Lane.KEPT, Lane.IDLE})


@dataclass(slots=True)
class Exchange:
    """A request on its way; `due` and `started` in seconds of the monotonic clock: the event loop's own
    is the same one, but uvloop's has a grain of 1 ms.

    `connection` counts the connections of a run, `position` the requests on one, from 0. `port` is the local TCP port.
    `began` is whether a response's head has come. `trace` names the trace where that is kept. `idle` is the seconds for
    which the connection of the idle lane paused before.
    """

    due: float
    started: float
    lane: Lane
    request: Request
    head: bytes
    body: bytes
    key: str
    deadline: float
    trace: str = ""
    connection: int = 0
    port: int = 0
    position: int = 0
    status: int = 0
    began: bool = False
    pod: str = ""
    answer: bytes = b""
    outcome: Outcome | None = None
    reason: str = ""
    idle: float = 0.0


class Written(NamedTuple):
    """A request as bytes; `key` is its Idempotency-Key, `trace` its trace where that is kept. Either may be empty."""

    head: bytes
    body: bytes
    key: str
    trace: str


def sampled(trace: str, of_256: int = TRACED_BYTES) -> bool:
    """Whether the trace with this identifier (32 hexadecimal digits) is sampled: its last byte decides."""
    return int(trace[-2:], 16) < of_256


def span_of(trace: str) -> str:
    """The identifier (16 hexadecimal digits) of the request's own span in its trace."""
    return trace[:16]


class RequestWriter:
    """Writes the heads and bodies of requests to one host; of 256 traces `traced` are kept."""

    def __init__(self, host: str, answers: Answers, traced: int = TRACED_BYTES) -> None:
        self._host = host
        self._answers = answers
        self._traced = traced
        self.subjects: list[str] = []

    def write(self, request: Request, lane: Lane, number: int) -> Written:
        """The request of this number."""
        path, body = self._filled(request, number)
        trace = f"{random.getrandbits(128):032x}"
        kept = sampled(trace, self._traced)
        lines = [
            f"{request.method} {path} HTTP/1.1",
            f"Host: {self._host}",
            f"traceparent: 00-{trace}-{span_of(trace)}-{TRACED if kept else NOT_TRACED}",
        ]
        if request.key:
            lines.append(f"Idempotency-Key: {trace}")
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
        elif request.method in WITH_BODY:
            lines.append("Content-Length: 0")
        if lane not in REUSED:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        return Written(head, body.encode(), trace if request.key else "", trace if kept else "")

    def _filled(self, request: Request, number: int) -> tuple[str, str]:
        """Path and body, with identifiers in the places of their names."""
        subject = self.subjects[number % len(self.subjects)] if self.subjects else ""
        path, body = request.path.replace(SUBJECT, subject), request.body.replace(SUBJECT, subject)
        if request.after:
            answer = self._answers.identifier(request) or ""
            path, body = path.replace(ANSWER, answer), body.replace(ANSWER, answer)
        return path, body
