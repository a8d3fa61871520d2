"""The judge as a Job of the cluster: its requests go through the Service, as those of a client in the cluster do."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from drydock.cluster.platform import KindPlatform
from drydock.core.console import Step
from drydock.core.errors import CannotRunError, FailedError
from drydock.judge.plan import VARIABLE, Plan
from drydock.judge_client import log
from drydock.judge_client.progress_sample import ProgressSample
from drydock.load.jobs import LoadJob
from drydock.system.processes import last_lines

# Twenty subjects, sixty good answers, and a service that has just been replaced.
BEGIN_SECONDS = 60.0
# The kubelet rotates a log at this size (containerLogMaxSize, by default), and `kubectl logs` shows the newest part.
MOST_LOG_BYTES = 10 * 1024 * 1024
# Measured: 33 bytes for each compressed record in base64.
RECORD_BYTES = 40
# A broken log stream is opened again this many times without a new sample.
ATTEMPTS = 5


@dataclass
class JudgeJob:
    """One run of a plan; `variables` are further ones of its container."""

    platform: KindPlatform
    plan: Plan
    variables: Mapping[str, str] = field(default_factory=dict)
    _seen: float = field(default=0.0, init=False)

    @cached_property
    def job(self) -> LoadJob:
        """The Job."""
        return LoadJob(self.platform, "judge", "judge")

    def start(self, progress: Step) -> None:
        """Starts it, and returns when it begins to send.

        Raises:
            CannotRunError: another run is active, its log would be too long, or it does not start to send.
        """
        refuse_long_log(self.plan)
        self.job.start({VARIABLE: self.plan.as_json(), **self.variables}, self.plan.seconds, progress)
        image, progress.detail = progress.detail, "preparing and warming up"
        if reason := self._wait_for_begin():
            self.remove()
            raise CannotRunError(reason, "drydock status")
        progress.detail = f"{self.plan.rate:g} requests a second to {self.plan.url} ({image})"

    def _wait_for_begin(self) -> str | None:
        """Waits until it sends. Returns the reason if it does not."""
        deadline = time.monotonic() + BEGIN_SECONDS
        for line in self._said():
            if "began" in line:
                return None
            if "ended" in line:
                return f"the judge could not run: {line.get('reason', '')}"
            if time.monotonic() > deadline:
                break
        return f"the judge did not begin:\n{last_lines(self._log(), 5)}"

    def follow(self, on_sample: Callable[[ProgressSample], None]) -> None:
        """Calls `on_sample` each second until the end. Raises CannotRunError if something else ended the judge."""

        def newer(sample: ProgressSample) -> None:
            if sample.time > self._seen:
                self._seen = sample.time
                on_sample(sample)

        attempts = 0
        while attempts < ATTEMPTS:
            before = self._seen
            if log.follow(self._said(), newer):
                return
            attempts = attempts + 1 if self._seen == before else 0
        raise CannotRunError(f"the judge was ended:\n{last_lines(self._log(), 5)[:2000]}", "kubectl get events -n load")

    def stop(self) -> None:
        """Stops sending. Requests in flight still count."""
        self.job.namespace.call("exec", "job/judge", "--", "sh", "-c", "kill -TERM 1")

    def collect(self, folder: Path) -> None:
        """Writes requests.csv.gz and judge.json, and removes the Job. Raises FailedError if the log is incomplete."""
        log.collect(self._log(), folder)
        self.remove()

    def remove(self) -> None:
        """Deletes the Job."""
        self.job.remove()

    def _log(self) -> str:
        try:
            return self.job.namespace.call("logs", "job/judge")
        except FailedError as error:
            return error.reason

    def _said(self) -> Iterator[log.Line]:
        # A session of its own: Ctrl-C is for us to handle.
        with subprocess.Popen(
            self.job.follow_command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        ) as process:
            try:
                yield from log.lines(process.stdout or ())
            finally:
                process.terminate()


def refuse_long_log(plan: Plan) -> None:
    """Raises CannotRunError if the records of a plan do not fit into one log file of a container."""
    requests = plan.rate * plan.seconds
    if requests * RECORD_BYTES > MOST_LOG_BYTES:
        most = MOST_LOG_BYTES // RECORD_BYTES
        reason = f"{requests:,.0f} requests do not fit into the judge's log, which holds {most:,}"
        raise CannotRunError(reason, "Lower the rate or the seconds of the run, and run it several times.")
