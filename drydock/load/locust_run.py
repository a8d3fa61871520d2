"""A load run on the kind cluster: starts locust's master and workers as Jobs, and follows them to their end."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

from drydock.cluster import guards, images
from drydock.cluster.namespace import Namespace
from drydock.cluster.platform import KindPlatform
from drydock.core.console import Step
from drydock.core.errors import CannotRunError, FailedError
from drydock.load import jobs, locust_manifests, scenarios
from drydock.load.jobs import NAMESPACE
from drydock.load.locust_manifests import MASTER, RESULTS
from drydock.requests import records
from drydock.system.processes import last_lines

# The first pull of the image, and the connection of the workers to their master.
START_SECONDS = 150.0
CONNECT_SECONDS = 45
# The parameter `timeout` of loadtest/users/shopper.py.
TIMEOUT_SECONDS = 10.0
STOP_MARGIN_SECONDS = 5.0
# The master's results in addition to the records.
FILES = ("locust.html", "locust_stats.csv", "locust_stats_history.csv", "locust_failures.csv", "locust_exceptions.csv")
GAVE_UP = "Gave up waiting for workers to connect"


@dataclass(frozen=True)
class LoadSample:
    """The master's report of each second: the rate of the last second, and the counts since the start.

    `time` is in Unix seconds, and `p95_ms` covers the last ten seconds. `pods` has the requests that each pod
    answered, `cpu_percent` the CPU of the load generator's busiest process, `limits` the resources that it exhausted,
    `workers` the number of workers that the master hears.
    """

    time: float
    over: bool
    users: int
    sent: int
    failed: int
    rate: float
    p95_ms: float
    outcomes: Mapping[str, int]
    pods: Mapping[str, int]
    cpu_percent: float = 0.0
    limits: tuple[str, ...] = ()
    workers: int = 1

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Self:
        """Parses a line of the master."""
        return cls(**{**line, "limits": tuple(line["limits"])})

    def __str__(self) -> str:
        failed = f", {self.failed:,} failed" if self.failed else ""
        return (
            f"{self.users} users, {self.sent:,} sent, {self.rate:.0f}/s, p95 {self.p95_ms:.0f} ms, "
            f"{len(self.pods)} pods{failed}"
        )


@dataclass
class LoadRun:
    """A run of `scenario` with the parameters `settings`. Its Idempotency-Keys begin with `name`."""

    platform: KindPlatform
    scenario: str
    settings: Mapping[str, str]
    workers: int = 1
    name: str = "load"
    image: str = ""
    _seen: float = field(default=0.0, init=False)

    @property
    def namespace(self) -> Namespace:
        """Where it runs."""
        return Namespace(self.platform.cluster, NAMESPACE)

    def start(self, progress: Step) -> None:
        """Builds the image, starts master and workers, and returns when the load begins.

        Raises:
            CannotRunError: the scenario or a parameter is unknown, the context is another one, the service is not
                ready, another run is active, or a pod or worker does not start.
        """
        environment = self._check_preconditions()
        progress.detail = "building its image"
        self.image = jobs.publish_image(self.platform.project)
        progress.detail = "starting"
        self.remove()
        folder = self.platform.project.root / "k8s" / "load" / "locust"
        rendered = images.render(self.platform.programs["kubectl"], folder)
        manifests = locust_manifests.jobs(
            rendered, self.image, self._master_arguments(), self._worker_arguments(), self.workers
        )
        locust_manifests.set_variables(manifests, environment)
        self.platform.cluster.apply("--filename", "-", stdin=yaml.safe_dump_all(manifests))
        self._wait_for_the_load(progress)

    def follow(self, on_sample: Callable[[LoadSample], None]) -> None:
        """Calls `on_sample` each second until the run ends. A second call continues after an interrupted one.

        Raises:
            CannotRunError: the master exited before the run ended.
        """
        for line in self._messages():
            if "ended" in line:
                if line["ended"] not in (0, 1):
                    raise CannotRunError(f"the load generator exited with code {line['ended']}:\n{self._log()}")
                return
            sample = LoadSample.parse(line)
            if sample.time > self._seen:
                self._seen = sample.time
                on_sample(sample)
        raise CannotRunError(f"the load generator was stopped before the run ended:\n{self._log()}")

    def stop(self) -> None:
        """Ends the run gracefully: requests in flight get their response, and every sent request has a record."""
        self._in_master("sh", "-c", "kill -TERM 1")

    def collect(self, folder: Path) -> None:
        """Copies requests.csv.gz, locust's HTML report and its CSV files into `folder`, and removes the Jobs.

        Raises:
            FailedError: a file could not be copied; the Jobs stay.
        """
        for name in (records.FILE, *FILES):
            self._fetch(name, folder / name)
        self._in_master("touch", f"{RESULTS}/collected")
        self.remove()

    def remove(self) -> None:
        """Deletes the Jobs and their Service."""
        jobs.delete(self.namespace, "jobs,services", "--selector", locust_manifests.SELECTOR)

    def _check_preconditions(self) -> dict[str, str]:
        """Raises CannotRunError if the run cannot start; otherwise returns the variables that set its parameters."""
        project = self.platform.project
        scenario = scenarios.find(project, self.scenario)
        environment = scenario.environment(self.settings, scenarios.users(project))
        if self.workers < 1:
            raise CannotRunError(f"{self.workers} workers cannot send requests", "Use at least 1 worker.")
        guards.refuse_another_context(self.platform.cluster)
        guards.refuse_unready(project)
        if self._active():
            delete = f"kubectl delete jobs --namespace {NAMESPACE} --selector {locust_manifests.SELECTOR}"
            remedy = f"Wait for it to end, or delete it: {delete}"
            raise CannotRunError("another load run is active", remedy)
        return {**environment, "LOAD_RUN": self.name}

    def _active(self) -> bool:
        found = self.namespace.get("jobs", "--selector", locust_manifests.SELECTOR)["items"]
        return any(job["status"].get("active") for job in found)

    def _master_arguments(self) -> list[str]:
        wait = [f"--expect-workers={self.workers}", f"--expect-workers-max-wait={CONNECT_SECONDS}"]
        # A user is stopped only after its last request has got a response or timed out.
        patience = float(self.settings.get("timeout", TIMEOUT_SECONDS)) + STOP_MARGIN_SECONDS
        return ["loadtest", self.scenario, *wait, f"--stop-timeout={patience:g}"]

    def _worker_arguments(self) -> list[str]:
        return ["locust", f"--locustfile=loadtest/scenarios/{self.scenario}.py"]

    def _wait_for_the_load(self, progress: Step) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            progress.detail = self._waits_for()
            log = self._log(lines=200)
            if '"users":' in log:
                return
            if '"ended":' in log or time.monotonic() > deadline:
                reason = self._missing_workers(log) or f"the load did not start: {progress.detail}\n{last_lines(log)}"
                self.remove()
                raise CannotRunError(reason, f"Run `kubectl describe pods --namespace {NAMESPACE}`.")
            time.sleep(0.5)

    def _missing_workers(self, log: str) -> str:
        if GAVE_UP not in log:
            return ""
        connected = log.count("reported as ready")
        return f"{connected} of {self.workers} workers connected within {CONNECT_SECONDS} s"

    def _waits_for(self) -> str:
        pods = self.namespace.get("pods", "--selector", locust_manifests.SELECTOR)["items"]
        pending = [pod for pod in pods if pod["status"]["phase"] == "Pending"]
        if pending:
            return f"{pending[0]['metadata']['name']}: {jobs.waits_for(pending[0]['status'])}"
        return "waiting for the workers" if pods else "no pod yet"

    def _log(self, lines: int = 20) -> str:
        try:
            return self.namespace.call("logs", f"--tail={lines}", f"job/{MASTER}")
        except FailedError:
            return ""

    def _messages(self) -> Iterator[dict[str, Any]]:
        """The master's messages, from its log."""
        command = self.namespace.command("logs", "--follow", f"job/{MASTER}")
        # In its own session, so that Ctrl-C interrupts drydock and not kubectl.
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        ) as process:
            try:
                for line in process.stdout or ():
                    if parsed := parse_message(line):
                        yield parsed
            finally:
                process.terminate()

    def _in_master(self, *command: str) -> str:
        return self.namespace.call("exec", f"job/{MASTER}", "--", *command)

    def _fetch(self, name: str, path: Path) -> None:
        command = self.namespace.command("exec", f"job/{MASTER}", "--")
        with path.open("wb") as file:
            done = subprocess.run(
                [*command, "cat", f"{RESULTS}/{name}"], stdout=file, stderr=subprocess.PIPE, check=False
            )
        if done.returncode:
            raise FailedError(f"{name} could not be fetched: {done.stderr.decode(errors='replace').strip()}")


def parse_message(line: str) -> dict[str, Any] | None:
    """The message in a line of the master's log; None for a line that is meant for people."""
    if not line.startswith("{"):
        return None
    try:
        loaded: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return loaded if "users" in loaded or "ended" in loaded else None
