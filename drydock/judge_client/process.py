"""The judge as a process of this machine, or as a container of compose."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drydock.cluster import docker
from drydock.core.console import Step
from drydock.core.errors import CannotRunError
from drydock.judge.plan import VARIABLE, Plan
from drydock.judge_client import log
from drydock.judge_client.progress_sample import ProgressSample
from drydock.system.processes import last_lines, succeeds

STOP_SECONDS = 60


@dataclass
class JudgeProcess:
    """One run of a plan; `variables` are further ones of its environment."""

    plan: Plan
    variables: Mapping[str, str] = field(default_factory=dict)
    _process: "subprocess.Popen[str] | None" = field(default=None, init=False)
    _received: list[str] = field(default_factory=list, init=False)

    def start(self, progress: Step) -> None:
        """Starts it, and returns when it begins to send.

        Raises:
            CannotRunError: the service does not answer.
        """
        progress.detail = "preparing and warming up"
        # A session of its own: Ctrl-C is for us to handle.
        self._process = subprocess.Popen(
            self._command(),
            env={**os.environ, VARIABLE: self.plan.as_json(), **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        for line in log.lines(self._lines()):
            if "began" in line:
                progress.detail = f"{self.plan.rate:g} requests a second to {self.plan.url}"
                return
            if "ended" in line:
                raise CannotRunError(f"the judge could not run: {line.get('reason', '')}", "See the service's log.")
        raise CannotRunError(f"the judge ended at once:\n{last_lines(''.join(self._received))}")

    def follow(self, on_sample: Callable[[ProgressSample], None]) -> None:
        """Calls `on_sample` each second until the end. Raises CannotRunError if something else ended the judge."""
        if not log.follow(log.lines(self._lines()), on_sample):
            raise CannotRunError(f"the judge was ended:\n{last_lines(''.join(self._received), 5)[:2000]}")

    def stop(self) -> None:
        """Stops sending. Requests in flight still count."""
        if self._process is not None:
            self._process.terminate()

    def collect(self, folder: Path) -> None:
        """Writes requests.csv.gz and judge.json. Raises FailedError if the log is incomplete."""
        for _ in self._lines():
            pass
        log.collect(self._output(), folder)
        self.remove()

    def remove(self) -> None:
        """Ends it at any stage."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None

    def _output(self) -> str:
        """Its whole output."""
        return "".join(self._received)

    def _command(self) -> Sequence[str]:
        """The command that runs it; the plan is in its environment."""
        return [sys.executable, "-m", "drydock.judge"]

    def _lines(self) -> Iterator[str]:
        """The lines of its output as they arrive, kept for `collect`."""
        if self._process is not None:
            for line in self._process.stdout or ():
                self._received.append(line)
                yield line


@dataclass
class JudgeContainer(JudgeProcess):
    """One run of a plan in a container that `command`, a `docker compose run`, starts under `name`."""

    command: Sequence[str] = ()
    name: str = ""

    def start(self, progress: Step) -> None:
        """Starts it, after removing one that a killed run left, and returns when it begins to send.

        Raises:
            CannotRunError: the service does not answer.
        """
        self._remove_container()
        super().start(progress)

    def stop(self) -> None:
        """Stops sending. Requests in flight still count."""
        succeeds(["docker", "kill", "--signal", "TERM", self.name])

    def remove(self) -> None:
        """Ends it at any stage."""
        self._remove_container()
        super().remove()

    def _output(self) -> str:
        """The log that the engine keeps: the attached `docker compose run` mixes it with the error stream."""
        return docker.docker("logs", self.name)

    def _remove_container(self) -> None:
        succeeds(["docker", "rm", "--force", self.name])

    def _command(self) -> Sequence[str]:
        return self.command
