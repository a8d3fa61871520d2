"""The local platform: an embedded PostgreSQL, the migrations, and the service, started and stopped in that order."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from drydock.core.console import message, step
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project
from drydock.local.postgres import stop_leftover
from drydock.local.process import ServiceProcess
from drydock.local.runtime import LocalRuntime, serve_command
from drydock.system import signals
from drydock.system.http import answers
from drydock.system.pidfile import PidFile
from drydock.system.ports import in_use
from drydock.system.processes import last_lines
from drydock.system.wait import wait_until

DISCLAIMER = "The local platform runs the service's own commands on this machine. It claims nothing about Kubernetes."
READY_SECONDS = 60.0
# The time to stop Postgres, after the grace period of the service.
STOP_MARGIN_SECONDS = 30.0


@dataclass(frozen=True)
class LocalPlatform:
    """The service of `project` without containers, at the address platforms.local of drydock.toml."""

    project: Project

    @property
    def url(self) -> str:
        """The address of the service."""
        return self.project.configuration.platforms.local

    @property
    def log(self) -> Path:
        """The log file of a detached platform."""
        return self.project.state / "local.log"

    @property
    def _supervisor(self) -> PidFile:
        return PidFile(self.project.state / "local.json")

    @property
    def _service(self) -> PidFile:
        return PidFile(self.project.state / "local-service.json")

    @property
    def _database_files(self) -> Path:
        return self.project.state / "postgres"

    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._supervisor.process() is not None

    def ready(self) -> bool:
        """Whether the service answers its readiness probe."""
        return answers(self.url + self.project.configuration.probes.ready)

    def run(self) -> None:
        """Runs it until Ctrl-C, SIGTERM or the service's own end; then stops the service, then Postgres.

        Raises:
            CannotRunError: it runs already, its port is taken, or Postgres does not start.
            FailedError: the migrations failed, or the service ended by itself or never became ready.
        """
        self._refuse_a_second()
        self.recover()
        self._supervisor.write()
        try:
            with signals.interrupt_on(), LocalRuntime.started(self.project, self._database_files) as runtime:
                variables = self._variables(runtime.postgres.dsn)
                runtime.migrate(variables, _printed("migrate"))
                self._serve(runtime, variables)
        except KeyboardInterrupt:
            message("Stopped.")
        finally:
            self._supervisor.remove()

    def detach(self) -> None:
        """Runs it in the background and waits until the service is ready; no-op where it runs already.

        Raises:
            FailedError: it ended instead; the reason carries the end of its log.
        """
        if not self.running():
            self._launch()
        with step("local platform") as progress:
            wait_until(lambda: self.ready() or not self.running(), READY_SECONDS)
            if not self.ready():
                output = last_lines(self.log.read_text(errors="replace"))
                raise FailedError(f"the local platform did not become ready:\n{output}", f"See {self.log}.")
            progress.detail = f"ready at {self.url}"

    def stop(self) -> bool:
        """Stops it as Ctrl-C does. False if nothing ran."""
        stopped = self._supervisor.stop(self.project.configuration.local.grace_seconds + STOP_MARGIN_SECONDS)
        return self.recover() or stopped

    def recover(self) -> bool:
        """Stops the leftovers of a killed platform. False if there were none."""
        service = self._service.stop(self.project.configuration.local.grace_seconds)
        return stop_leftover(self._database_files) or service

    @property
    def _name(self) -> str:
        return self.project.configuration.workload.deployment

    def _refuse_a_second(self) -> None:
        if self.running():
            raise CannotRunError("the local platform runs already", "Stop it with `drydock down`.")
        port = self.project.configuration.platforms.port("local")
        if in_use(port) and self._service.process() is None:
            raise CannotRunError(f"port {port} is in use", "Free it, or change platforms.local in drydock.toml.")

    def _variables(self, dsn: str) -> Mapping[str, str]:
        configuration = self.project.configuration
        return {**configuration.local.environment, configuration.connections.variable: dsn}

    def _serve(self, runtime: LocalRuntime, variables: Mapping[str, str]) -> None:
        command = serve_command(self.project, self.project.configuration.platforms.port("local"))
        process = runtime.wait(runtime.start(command, variables, _printed(self._name)))
        self._service.write(process.pid)
        try:
            with step("service"):
                if not wait_until(lambda: self.ready() or process.code is not None, READY_SECONDS):
                    raise FailedError(f"the service was not ready in {READY_SECONDS:.0f} s", "Its reason is above.")
            if process.code is None:
                message(f"Ready at {self.url}. Ctrl-C stops it.")
            code = runtime.wait(process.wait())
            raise FailedError(f"the service ended by itself with code {code}", "Its reason is above.")
        finally:
            self._stop_service(runtime, process)

    def _stop_service(self, runtime: LocalRuntime, process: ServiceProcess) -> None:
        grace = self.project.configuration.local.grace_seconds
        if process.code is None:
            # A second Ctrl-C does not cut short a shutdown, which is bounded anyway.
            with signals.ignored(), step(f"stopping (up to {grace:.0f} s)"):
                runtime.wait(process.stop(grace))
        self._service.remove()

    def _launch(self) -> None:
        self._refuse_a_second()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "drydock", "up", "--platform", "local"]
        with self.log.open("wb") as log:
            started = subprocess.Popen(
                command,
                cwd=self.project.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: self.running() or started.poll() is not None, READY_SECONDS)


def _printed(name: str) -> Callable[[str], None]:
    """Prints each line of the service's output with a name before it."""

    def show(line: str) -> None:
        print(f"{name} | {line.rstrip()}", flush=True)  # noqa: T201 it is the service's output

    return show
