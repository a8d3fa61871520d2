"""What the processes of a run tell each other, and what the master tells the world: one JSON line each second.

Locust's workers report to the master every 3 s by default; here it is every second, so that a scaling decision can be
read off the line. What that costs is in docs/reference/load.md: nothing that could be measured.
"""

import json
import os
import socket
import sys
import time
from typing import Any

import gevent
from locust import events, runners
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from drydock.requests.outcome import Outcome
from loadtest.metrics import Exposition
from loadtest.records import Counts, Recorder, Writer, wanted

SECOND = 1.0
# How often a process looks at its own CPU, to say when it is the limit.
CPU_SECONDS = 2.0
QUANTILE = 0.95

# The workers whose last report came from no user: what they sent until then has arrived.
idle: set[str] = set()

runners.WORKER_REPORT_INTERVAL = SECOND
runners.CPU_MONITOR_INTERVAL = CPU_SECONDS

recorder = Recorder(worker=os.environ.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}", keep=bool(wanted()))


def _begin(environment: Environment, **_: Any) -> None:
    """Takes the part of this process: a worker ships, a master collects, and one alone does both."""
    if isinstance(environment.runner, WorkerRunner):
        events.report_to_master.add_listener(_ship)
        events.test_stop.add_listener(_ship_the_rest)
    else:
        master = Master(environment)
        events.worker_report.add_listener(master.receive)
        events.quitting.add_listener(master.conclude)
        gevent.spawn(master.tell)


events.init.add_listener(_begin)


def _ship(data: dict[str, Any], **_: Any) -> None:
    records, counts = recorder.take()
    data["load"] = {"records": records, **counts.packed()}


def _ship_the_rest(environment: Environment, **_: Any) -> None:
    """The last users have ended: what they sent must reach the master before it hears that they have."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        data: dict[str, Any] = {}
        events.report_to_master.fire(client_id=runner.client_id, data=data)
        runner.send_message("stats", data)


class Master:
    """Adds up what the workers report."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._counts = Counts()
        self._writer = Writer(wanted())
        self._exposition = Exposition(int(os.environ.get("LOAD_METRICS_PORT") or 0))
        self._last = 0
        self._over = False
        self._cpu = 0.0

    def receive(self, client_id: str, data: dict[str, Any]) -> None:
        """A worker's report."""
        (idle.discard if data["user_count"] else idle.add)(client_id)
        if load := data.pop("load", None):
            self._writer.append(load.pop("records"))
            self._add(Counts.unpacked(load))

    def tell(self) -> None:
        """One line each second, until the last one."""
        due = time.monotonic()
        while not self._over:
            due += SECOND
            gevent.sleep(max(0.0, due - time.monotonic()))
            self._tick()

    def conclude(self, **_: Any) -> None:
        """The last line, when everybody has reported."""
        self._over = True
        self._tick()

    def _tick(self) -> None:
        self._take_own()
        runner = self._environment.runner
        if runner is None:
            return
        workers = runner.clients.values() if isinstance(runner, MasterRunner) else []
        self._cpu = max([runner.current_cpu_usage, *(worker.cpu_usage for worker in workers)])
        counts, self._last, since = self._counts, self._counts.sent, self._counts.sent - self._last
        line = {
            "time": round(time.time(), 3),
            "over": self._over,
            "users": runner.user_count,
            "sent": counts.sent,
            "failed": counts.failed,
            "rate": since,
            "p95_ms": self._environment.stats.total.get_current_response_time_percentile(QUANTILE) or 0,
            "outcomes": {outcome: counts.outcomes[outcome] for outcome in Outcome},
            "pods": dict(counts.pods),
            "cpu_percent": round(self._cpu, 1),
            "limits": sorted(counts.limits),
            "workers": runner.worker_count if isinstance(runner, MasterRunner) else 1,
        }
        if counts.sent or runner.user_count:
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()

    def _take_own(self) -> None:
        records, counts = recorder.take()
        self._writer.append(records)
        self._add(counts)

    def _add(self, counts: Counts) -> None:
        self._counts.add(counts)
        self._exposition.observe(self._counts)
