"""An open model: a clock starts each request at its time, in a greenlet of its own, and waits for none.

Request i of all is due at t0 + i / rate. Each worker takes every n-th of them, so that together they keep the rate. A
shopper that is idle sends it, or else a new one: there are as many as the service's slowness makes necessary.
"""

import random
import time
from collections import defaultdict
from typing import ClassVar

from gevent.pool import Group
from locust import User, task
from locust.runners import WorkerRunner

from loadtest.reporting import recorder
from loadtest.users import mix
from loadtest.users.shopper import Shopper

# A request that starts later than this was held up by the load generator itself.
LATE_SECONDS = 0.05


class Clock(User):
    """The clock of one worker; `rate` is that of all workers together, `mix` says who is sent."""

    abstract = True
    rate: ClassVar[float]
    mix: ClassVar[str]

    def on_start(self) -> None:
        """Takes its share of the requests."""
        runner, options = self.environment.runner, self.environment.parsed_options
        shared = isinstance(runner, WorkerRunner) and options is not None
        workers = options.expect_workers if shared and options else 1
        index = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        self._classes = mix(self.mix)
        self._weights = [kind.weight for kind in self._classes]
        for kind in self._classes:
            kind.host = self.environment.host
        self._idle: dict[type[Shopper], list[Shopper]] = defaultdict(list)
        self._under_way = Group()
        self._interval = workers / self.rate
        self._due = time.time() + index / self.rate
        self.wait()  # type: ignore[no-untyped-call]

    def wait_time(self) -> float:
        """Seconds until the next request is due: none where the clock is behind."""
        return max(0.0, self._due - time.time())

    @task
    def start_one(self) -> None:
        """Starts the request that is due."""
        due, self._due = self._due, self._due + self._interval
        behind = time.time() - due
        if behind > LATE_SECONDS:
            recorder.counts.late += 1
            recorder.counts.behind = max(recorder.counts.behind, behind)
        kind = random.choices(self._classes, self._weights)[0]  # noqa: S311 - no secret depends on it
        idle = self._idle[kind]
        shopper = idle.pop() if idle else kind(self.environment)
        self._under_way.spawn(self._serve, shopper, due)

    def on_stop(self) -> None:
        """The requests under way are answered, or time out, before the clock is gone."""
        self._under_way.join()

    def _serve(self, shopper: Shopper, due: float) -> None:
        shopper.due = due
        shopper.act()
        self._idle[type(shopper)].append(shopper)
