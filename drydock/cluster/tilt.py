"""Tilt, which builds the service, deploys it and keeps it current."""

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
# A pod may fail once on its way up and be restarted by the kubelet; one that stays failed is a failure.
ERROR_SECONDS = 20.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.5
LOG_LINES = 40

# What a kubelet says of a pod that will not get better by waiting.
HOPELESS = frozenset({"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError"})
RESTARTS = 2  # one restart may be a dependency that came late

SETTLED = frozenset({"ok", "not_applicable", "none"})


@dataclass(frozen=True)
class Resource:
    """A resource of the Tiltfile: whether its last update and what it runs are well, and what its newest pod does."""

    name: str
    update: str
    runtime: str
    pod: str = ""
    restarts: int = 0

    @classmethod
    def parse(cls, item: Any) -> "Resource":
        """Reads a UIResource of Tilt's API."""
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
        """Whether nothing more is expected of it; a resource that waits to be triggered by hand is settled."""
        return {self.update, self.runtime} <= SETTLED

    @property
    def failed(self) -> bool:
        """Whether its update or what it runs has failed; Tilt calls a pod pending that restarts over and over."""
        crashing = self.pod in HOPELESS or self.restarts >= RESTARTS
        return "error" in {self.update, self.runtime} or (crashing and not self.settled)


@dataclass(frozen=True)
class Tilt:
    """The Tilt of this checkout. `environment` decides which cluster it reaches; its state is kept in `state`."""

    program: Path
    root: Path
    state: Path
    environment: Mapping[str, str]

    @property
    def log(self) -> Path:
        """What a detached Tilt prints."""
        return self.state / "tilt.log"

    def running(self) -> psutil.Process | None:
        """The Tilt of this checkout, while it lives."""
        return find_tilt(self.root)

    def run(self, stack: Stack) -> NoReturn:
        """Becomes Tilt: its terminal is the user's, Ctrl-C ends it and leaves the cluster as it is."""
        stop_tilt(self.root)
        os.chdir(self.root)
        command = self._command(stack, stream=not sys.stdout.isatty())
        os.execve(self.program, command, {**os.environ, **self.environment})  # noqa: S606 no shell is meant

    def detach(self, stack: Stack) -> None:
        """Starts Tilt in the background, unless it runs this stack already."""
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
        """The resources of the running Tilt; empty while it starts or where there is none."""
        try:
            listing = json.loads(self._ask("get", "uiresources", "--output", "json"))
        except (FailedError, json.JSONDecodeError):
            return []
        return [Resource.parse(item) for item in listing["items"]]

    def wait_until_ready(self, progress: Step) -> None:
        """Waits until every resource is up.

        Raises:
            FailedError: one failed or did not come up; the reason carries the end of its log.
            CannotRunError: Tilt itself ended.
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
                raise CannotRunError(f"Tilt ended:\n{last_lines(self.log.read_text())}", f"See {self.log}.")
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
        return f"Correct it: Tilt is still running and tries again on each edit. More: tilt logs {name!r}, {self.log}."


def tilts() -> Iterator[tuple[psutil.Process, Path]]:
    """Every `tilt up` of this user, whoever started it, with the folder it runs in."""
    for process in psutil.process_iter():
        try:
            if process.name() == "tilt" and "up" in process.cmdline()[1:2]:
                yield process, Path(process.cwd())
        except psutil.Error:
            continue


def find_tilt(root: Path) -> psutil.Process | None:
    """The Tilt that runs in this checkout: there can be one, because it takes its port."""
    return next((process for process, folder in tilts() if folder == root), None)


def runs(process: psutil.Process, stack: Stack) -> bool:
    """Whether a running Tilt was started for exactly this stack."""
    command = process.cmdline()
    return "--" in command and command[command.index("--") + 1 :] == stack.arguments


def stop_tilt(root: Path) -> bool:
    """Ends the Tilt of this checkout; False where there is none. What it deployed stays."""
    process = find_tilt(root)
    if process is not None:
        terminate(process, STOP_SECONDS)
    return process is not None


def _describe(resources: list[Resource], waiting: list[str]) -> str:
    if not resources:
        return "starting"
    done = len(resources) - len(waiting)
    return f"{done} of {len(resources)} resources up" + (f", waiting for {', '.join(waiting)}" if waiting else "")


def _failing(resources: list[Resource], before: Mapping[str, float], now: float) -> dict[str, float]:
    """Since when each failed resource has been failed."""
    return {resource.name: before.get(resource.name, now) for resource in resources if resource.failed}
