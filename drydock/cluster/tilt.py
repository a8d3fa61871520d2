"""Tilt builds the service, deploys it and updates it on every edit."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import psutil

from drydock.cluster.kind import CONTEXT
from drydock.cluster.stack import Stack
from drydock.core.console import Step
from drydock.core.errors import CannotRunError, FailedError
from drydock.system.pidfile import terminate
from drydock.system.processes import last_lines, output

PORT = 10350
TILTFILE = "(Tiltfile)"
READY_SECONDS = 900.0  # a first build downloads the service's dependencies
# A pod may fail once while it starts, and the kubelet restarts it. A pod that stays failed is a failure.
ERROR_SECONDS = 20.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.5
LOG_LINES = 40

# A pod with one of these states does not recover by itself.
PERMANENT_ERRORS = frozenset({"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError"})
RESTARTS = 2  # one restart may be due to a dependency that became ready late

SETTLED = frozenset({"ok", "not_applicable", "none"})


@dataclass(frozen=True)
class Resource:
    """A resource of the Tiltfile: the status of its last update and of its runtime, and the state of its newest pod."""

    name: str
    update: str
    runtime: str
    pod: str = ""
    restarts: int = 0

    @classmethod
    def parse(cls, item: Any) -> "Resource":
        """Parses a UIResource of Tilt's API."""
        status = item.get("status") or {}
        pod = status.get("k8sResourceInfo") or {}
        return cls(
            name=item["metadata"]["name"],
            update=status.get("updateStatus", "none"),
            runtime=status.get("runtimeStatus", "none"),
            pod=pod.get("podStatus", ""),
            restarts=pod.get("podRestarts", 0),
        )

    @property
    def settled(self) -> bool:
        """Whether no further change is expected. A resource with a manual trigger is settled."""
        return {self.update, self.runtime} <= SETTLED

    @property
    def failed(self) -> bool:
        """Whether its update or its runtime has failed. For Tilt, a pod that restarts in a loop is only pending."""
        crashing = self.pod in PERMANENT_ERRORS or self.restarts >= RESTARTS
        return "error" in {self.update, self.runtime} or (crashing and not self.settled)


@dataclass(frozen=True)
class Tilt:
    """The Tilt of this checkout. `environment` selects its cluster; its log is in the folder `state`."""

    program: Path
    root: Path
    state: Path
    environment: Mapping[str, str]

    @property
    def log(self) -> Path:
        """The output of a detached Tilt."""
        return self.state / "tilt.log"

    def running(self) -> psutil.Process | None:
        """The process of this checkout's Tilt; None if it does not run."""
        return find_tilt(self.root)

    def run(self, stack: Stack) -> NoReturn:
        """Replaces this process by Tilt. Ctrl-C then stops Tilt and leaves the cluster as it is."""
        stop_tilt(self.root)
        os.chdir(self.root)
        command = self._command(stack, stream=not sys.stdout.isatty())
        os.execve(self.program, command, {**os.environ, **self.environment})  # noqa: S606 no shell is needed

    def detach(self, stack: Stack) -> None:
        """Starts Tilt in the background, unless it already runs this stack."""
        process = self.running()
        if process and runs(process, stack):
            return
        stop_tilt(self.root)
        self.state.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            subprocess.Popen(
                self._command(stack, stream=True),
                cwd=self.root,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def resources(self) -> list[Resource]:
        """The resources of the running Tilt; empty while it starts or if it does not run."""
        try:
            listing = json.loads(self._ask("get", "uiresources", "--output", "json"))
        except (FailedError, json.JSONDecodeError):
            return []
        return [Resource.parse(item) for item in listing["items"]]

    def wait_until_ready(self, progress: Step) -> None:
        """Waits until every resource is up.

        Raises:
            FailedError: a resource failed or did not come up in time; the reason includes the end of its log.
            CannotRunError: Tilt itself exited.
        """
        failing_since: dict[str, float] = {}
        deadline = time.monotonic() + READY_SECONDS
        while True:
            resources = self.resources()
            waiting = [resource.name for resource in resources if not resource.settled]
            progress.detail = _describe(resources, waiting)
            if len(resources) > 1 and not waiting:
                return
            failing_since = _failing(resources, failing_since, time.monotonic())
            for name, since in failing_since.items():
                if name == TILTFILE or time.monotonic() - since > ERROR_SECONDS:
                    raise FailedError(f"{name} failed:\n{self._log_of(name)}", self._remedy(name))
            if time.monotonic() > deadline:
                name = waiting[0] if waiting else TILTFILE
                reason = f"{', '.join(waiting)} did not come up in {READY_SECONDS:.0f} s:\n{self._log_of(name)}"
                raise FailedError(reason, self._remedy(name))
            if self.running() is None:
                raise CannotRunError(f"Tilt exited:\n{last_lines(self.log.read_text())}", f"See {self.log}.")
            time.sleep(POLL_SECONDS)

    def _command(self, stack: Stack, stream: bool) -> list[str]:
        options = ["--context", CONTEXT, "--host", "localhost", "--port", str(PORT), f"--stream={str(stream).lower()}"]
        return [str(self.program), "up", *options, "--", *stack.arguments]

    def _ask(self, *arguments: str) -> str:
        return output([str(self.program), *arguments, "--port", str(PORT)], environment=self.environment, timeout=30)

    def _log_of(self, name: str) -> str:
        try:
            return self._ask("logs", name, "--tail", str(LOG_LINES))
        except FailedError:
            return last_lines(self.log.read_text()) if self.log.exists() else ""

    def _remedy(self, name: str) -> str:
        return f"Fix the cause: Tilt still runs and retries on each edit. Logs: tilt logs {name!r}, {self.log}."


def tilts() -> Iterator[tuple[psutil.Process, Path]]:
    """Every running `tilt up` with its working directory, also those that drydock did not start."""
    for process in psutil.process_iter():
        try:
            if process.name() == "tilt" and "up" in process.cmdline()[1:2]:
                yield process, Path(process.cwd())
        except psutil.Error:
            continue


def find_tilt(root: Path) -> psutil.Process | None:
    """The Tilt of this checkout. There is at most one, because its port is fixed."""
    return next((process for process, folder in tilts() if folder == root), None)


def runs(process: psutil.Process, stack: Stack) -> bool:
    """Whether a Tilt process was started for exactly this stack."""
    command = process.cmdline()
    return "--" in command and command[command.index("--") + 1 :] == stack.arguments


def stop_tilt(root: Path) -> bool:
    """Stops the Tilt of this checkout; False if none runs. Its deployments stay."""
    process = find_tilt(root)
    if process is not None:
        terminate([process], STOP_SECONDS)
    return process is not None


def _describe(resources: list[Resource], waiting: list[str]) -> str:
    if not resources:
        return "starting"
    done = len(resources) - len(waiting)
    return f"{done} of {len(resources)} resources up" + (f", waiting for {', '.join(waiting)}" if waiting else "")


def _failing(resources: list[Resource], before: Mapping[str, float], now: float) -> dict[str, float]:
    """The time at which each failed resource was first seen as failed, on the monotonic clock."""
    return {resource.name: before.get(resource.name, now) for resource in resources if resource.failed}
