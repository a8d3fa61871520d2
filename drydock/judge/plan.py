"""The plan of a run: made by the drill, passed to the judge as JSON in an environment variable."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from drydock.core import project

VARIABLE = "JUDGE_PLAN"
# In a path or body: the identifier of one of the subjects that were prepared, and that in another request's answer.
SUBJECT = "{subject}"
ANSWER = "{answer}"


@dataclass(frozen=True)
class Request:
    """A kind of request; `weight` of all weights is its share. With `key` it carries an Idempotency-Key.

    With `per_second` it has no share, and is sent at most so often. `after` is the operation whose newest good answer
    has the field `identifier` that it needs.
    """

    method: str
    route: str
    path: str
    weight: int = 1
    body: str = ""
    key: bool = False
    per_second: float | None = None
    after: str = ""
    identifier: str = "id"

    @cached_property
    def operation(self) -> str:
        """The route with its method, such as `GET /items/{item_id}`."""
        return f"{self.method} {self.route}"


@dataclass(frozen=True)
class Plan:
    """`rate` requests a second over all lanes, for `seconds` at the most; `timeout` in seconds from a request's start.

    `long_rate` of them a second are long: their body arrives over `long_seconds`. The others are in turn on a fresh
    connection and on one of `kept_connections`. `subjects` of `prepare` are made beforehand; `identifier` is the field
    of the answer that names one. `patience` is how long the service may take to answer at first: a new pod's network
    and DNS need a moment, and the service's own pods may have just been replaced. `served_by_header` is the response
    header that names the pod. With `idle_lane`, eight connections pause between requests as a proxy's do, for
    `idle_seconds` at the most. The requests of that lane and the probes are not part of `rate`.
    """

    url: str
    rate: float
    seconds: float
    timeout: float
    subjects: int
    identifier: str
    prepare: Request
    requests: tuple[Request, ...]
    kept_connections: int = 20
    long_rate: float = 1.0
    long_seconds: float = 8.0
    patience: float = 30.0
    served_by_header: str | None = None
    idle_lane: bool = False
    idle_seconds: float = 60.0

    @cached_property
    def reading(self) -> Request | None:
        """The request of probes and of the idle lane: the first GET that needs no other answer; None without any."""
        return next((it for it in self.requests if it.method == "GET" and not it.after), None)

    @classmethod
    def of(cls, judge: "project.JudgeSettings", url: str, rate: float, seconds: float) -> Self:
        """The plan by drydock.toml."""
        prepare = Request(**judge.prepare.model_dump(exclude={"identifier", "weight", "key"}))
        requests = tuple(Request(**request.model_dump()) for request in judge.requests)
        parameters = judge.model_dump(exclude={"prepare", "requests", "timeout_seconds"})
        identifier = judge.prepare.identifier
        return cls(
            url,
            rate,
            seconds,
            judge.timeout_seconds,
            identifier=identifier,
            prepare=prepare,
            requests=requests,
            **parameters,
        )

    def as_json(self) -> str:
        """The variable's value."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads it. Raises ValueError or TypeError where it is none."""
        content: Mapping[str, Any] = json.loads(text)
        prepare = Request(**content["prepare"])
        requests = tuple(Request(**request) for request in content["requests"])
        return cls(**{**content, "prepare": prepare, "requests": requests})
