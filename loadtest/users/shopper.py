"""What all users have in common: how they send one request, and what is noted of it."""

import json
import random
import time
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from gevent import Timeout
from locust import FastHttpUser, task
from locust.contrib.fasthttp import LocustBadStatusCode, ResponseContextManager
from locust.env import Environment

from drydock.requests.outcome import Outcome, of_status
from drydock.requests.records import Record
from loadtest.connection import Connection
from loadtest.errors import of_error, of_our_own
from loadtest.no_retries import never_retry
from loadtest.parameters import Parameters
from loadtest.reporting import recorder

PARAMETERS = """
    pause    mean seconds that a user waits between an answer and the next request (1)
    timeout  seconds that a request may take (10)
"""
parameters = Parameters(PARAMETERS)
TIMEOUT_SECONDS = parameters.number("timeout")
# Ties the orders of a run together in the database: `drydock load` names the run.
RUN = Parameters("\n    run  the name of the run (load)").text("run")

never_retry()


class Answer(NamedTuple):
    """What became of a request; `content` is the body of its response, as far as it came."""

    outcome: Outcome
    status: int
    content: bytes

    @property
    def ok(self) -> bool:
        """Whether it was well."""
        return self.outcome is Outcome.OK

    @property
    def json(self) -> Any:
        """The body of an answer that was well."""
        return json.loads(self.content)


class Shopper(FastHttpUser):
    """A user that sends one request at a time, waits for its answer, and pauses. A subclass says which, in `act`."""

    abstract = True
    max_retries = 0
    concurrency = 1
    connection_timeout = network_timeout = TIMEOUT_SECONDS
    pause: ClassVar[float] = parameters.number("pause")

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        # A redirect is an answer like any other: nobody asked for what it points to.
        self.client.client.redirect_response_codes = frozenset()  # type: ignore[misc]
        self._connection = Connection(self.client.client.clientpool)

    def wait_time(self) -> float:
        """Seconds until the next request: up to half as much more or less than the mean, so that users drift apart."""
        return self.pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret depends on it

    @task
    def go(self) -> None:
        """What locust calls between two pauses."""
        self.act()

    def act(self) -> None:
        """Sends one request."""
        raise NotImplementedError

    def get(self, route: str, **values: object) -> Answer:
        """Reads `route`, with `values` in the places of its names."""
        return self.send("GET", route, values)

    def send(self, method: str, route: str, values: Mapping[str, object], body: Any = None, key: str = "") -> Answer:
        """Sends one request, once, and records what became of it. A query is sent, but is no part of its name."""
        self._connection.prepare()
        started = time.time()
        path, route = route.format(**values), route.partition("?")[0]
        headers = {"Idempotency-Key": key} if key else {}
        clock = time.perf_counter()
        with (
            Timeout(TIMEOUT_SECONDS),
            self.client.request(method, path, route, json=body, headers=headers, catch_response=True) as response,
        ):
            seconds = time.perf_counter() - clock
            outcome = self._outcome(response)
            pod = (response.headers or {}).get("X-Served-By") or ""
            times = started, started, seconds
            recorder.keep(Record(*times, method, route, response.status_code, outcome, pod, recorder.worker, key))
            # What locust itself shows is measured in the same way.
            response.request_meta["response_time"] = seconds * 1000
            if outcome is Outcome.OK:
                response.success()
            else:
                response.failure(outcome)
        return Answer(outcome, response.status_code, response.content or b"")

    def new_key(self) -> str:
        """An Idempotency-Key that no other order has, and that names the run."""
        return f"{RUN}-{uuid.uuid4()}"

    def _outcome(self, response: ResponseContextManager) -> Outcome:
        """What became of the request; a connection that failed is not used again."""
        error: BaseException | None = response.request_meta["exception"] or getattr(response, "error", None)
        if error is None or (response.status_code and isinstance(error, LocustBadStatusCode)):
            self._connection.used()
            return of_status(response.status_code)
        self._connection.close()
        if limit := of_our_own(error):
            recorder.counts.limits.add(limit)
        return of_error(error, began=bool(response.status_code))
