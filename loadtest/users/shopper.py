"""The base class of all users: sends one request at a time and records it."""

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
    pause    mean seconds between a response and the user's next request (1)
    timeout  timeout of a request in seconds (10)
"""
parameters = Parameters(PARAMETERS)
TIMEOUT_SECONDS = parameters.number("timeout")
# Identifies the orders of a run in the database. `drydock load` sets the name of the run.
RUN = Parameters("\n    run  name of the run (load)").text("run")

never_retry()


class Answer(NamedTuple):
    """The result of a request. `content` is the body of the response, possibly incomplete."""

    outcome: Outcome
    status: int
    content: bytes

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def json(self) -> Any:
        """The parsed body of a successful response."""
        return json.loads(self.content)


class Shopper(FastHttpUser):
    """A user that sends one request at a time, waits for its response, and pauses. Subclasses implement `act`."""

    abstract = True
    max_retries = 0
    concurrency = 1
    connection_timeout = network_timeout = TIMEOUT_SECONDS
    pause: ClassVar[float] = parameters.number("pause")

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        # Do not follow redirects: each request must have exactly one outcome.
        self.client.client.redirect_response_codes = frozenset()  # type: ignore[misc]
        self._connection = Connection(self.client.client.clientpool)

    def wait_time(self) -> float:
        """Seconds until the next request: the mean ±50 %, so that users do not synchronise."""
        return self.pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret depends on it

    @task
    def go(self) -> None:
        self.act()

    def act(self) -> None:
        """Send one request."""
        raise NotImplementedError

    def get(self, route: str, **values: object) -> Answer:
        """Send a GET to `route`, with `values` for its placeholders."""
        return self.send("GET", route, values)

    def send(self, method: str, route: str, values: Mapping[str, object], body: Any = None, key: str = "") -> Answer:
        """Send one request, once, and record its outcome. The recorded route does not contain the query string."""
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
            # Locust's own statistics use the same measurement.
            response.request_meta["response_time"] = seconds * 1000
            if outcome is Outcome.OK:
                response.success()
            else:
                response.failure(outcome)
        return Answer(outcome, response.status_code, response.content or b"")

    def new_key(self) -> str:
        """A unique Idempotency-Key that contains the name of the run."""
        return f"{RUN}-{uuid.uuid4()}"

    def _outcome(self, response: ResponseContextManager) -> Outcome:
        """The outcome of the request. Closes a failed connection, so that it is not reused."""
        error: BaseException | None = response.request_meta["exception"] or getattr(response, "error", None)
        if error is None or (response.status_code and isinstance(error, LocustBadStatusCode)):
            self._connection.used()
            return of_status(response.status_code)
        self._connection.close()
        if limit := of_our_own(error):
            recorder.counts.limits.add(limit)
        return of_error(error, began=bool(response.status_code))
