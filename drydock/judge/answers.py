"""The identifiers in earlier answers, which later requests use."""

import json
from collections.abc import Iterable

from drydock.judge.plan import Request


class Answers:
    """The newest good answer to each operation that a request comes after; read only when it is needed."""

    def __init__(self, requests: Iterable[Request]) -> None:
        self._newest: dict[str, bytes] = {request.after: b"" for request in requests if request.after}

    def note(self, request: Request, answer: bytes) -> None:
        """A good answer has come."""
        if request.operation in self._newest:
            self._newest[request.operation] = answer

    def identifier(self, request: Request) -> str | None:
        """The identifier that the request needs; None where there is none yet."""
        try:
            return str(json.loads(self._newest[request.after])[request.identifier])
        except (ValueError, TypeError, KeyError):
            return None
