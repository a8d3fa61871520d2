"""The local platform: an embedded PostgreSQL, the migrations, and the service, started and stopped in that order."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from drydock.core.console import message, step
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project
from drydock.local.postgres import EmbeddedPostgres, stop_leftover
from drydock.system.http import answers
from drydock.system.pidfile import PidFile
from drydock.system.ports import LOOPBACK, in_use
from drydock.system.processes import last_lines
from drydock.system.wait import wait_until

DISCLAIMER = "The local platform runs the service's own commands on this machine. It claims nothing about Kubernetes."
READY_SECONDS = 60.0
# What our own process needs beyond the service's grace: Postgres stops after it.
STOP_MARGIN_SECONDS = 30.0


@dataclass(frozen=True)
class LocalPlatform:
    """The service of `project` without containers, at the address platforms.local of drydock.toml."""

    project: Project

    @property
    def url(self) -> str:
        """Where the service answers."""
        return self.project.configuration.platforms.local

    @property
    def log(self) -> Path:
        """What a detached platform prints."""
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
            with _stop_on_signals(), EmbeddedPostgres(self._database_files, name=self._name) as postgres:
                environment = self._environment(postgres.dsn)
                self._migrate(environment)
                self._serve(environment)
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
                said = last_lines(self.log.read_text(errors="replace"))
                raise FailedError(f"the local platform did not become ready:\n{said}", f"See {self.log}.")
            progress.detail = f"ready at {self.url}"

    def stop(self) -> bool:
        """Stops it as Ctrl-C would; False where nothing ran."""
        stopped = self._supervisor.stop(self.project.configuration.local.grace_seconds + STOP_MARGIN_SECONDS)
        return self.recover() or stopped

    def recover(self) -> bool:
        """Stops what a killed platform left running; says whether there was anything."""
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

    def _environment(self, dsn: str) -> Mapping[str, str]:
        """Our own environment with what the service needs; the programs of our virtual environment come first."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        fixed = {"PATH": path, "DATABASE_URL": dsn, "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **self.project.configuration.local.environment, **fixed}

    def _migrate(self, environment: Mapping[str, str]) -> None:
        with (
            step("migrations"),
            self._process("migrate", self.project.configuration.local.migrate, environment) as process,
        ):
            if code := process.wait():
                raise FailedError(f"the migrations ended with code {code}", "Their reason is above.")

    def _serve(self, environment: Mapping[str, str]) -> None:
        port = str(self.project.configuration.platforms.port("local"))
        command = [*self.project.configuration.local.command, "--host", LOOPBACK, "--port", port]
        with self._process(self._name, command, environment) as process:
            self._service.write(process.pid)
            try:
                with step("service"):
                    if not wait_until(lambda: self.ready() or process.poll() is not None, READY_SECONDS):
                        raise FailedError(f"the service was not ready in {READY_SECONDS:.0f} s", "Its reason is above.")
                if process.poll() is None:
                    message(f"Ready at {self.url}. Ctrl-C stops it.")
                raise FailedError(f"the service ended by itself with code {process.wait()}", "Its reason is above.")
            finally:
                self._stop_service(process)

    def _stop_service(self, process: subprocess.Popen[bytes]) -> None:
        grace = self.project.configuration.local.grace_seconds
        if process.poll() is None:
            with _no_signals(), step(f"stopping (up to {grace:.0f} s)"):
                process.terminate()
                try:
                    process.wait(grace)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self._service.remove()

    @contextmanager
    def _process(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A program of the service, its output on ours with its name before each line."""
        try:
            process = subprocess.Popen(
                command,
                cwd=self.project.root,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop things in order
            )
        except OSError as error:
            raise CannotRunError(f"{command[0]}: {error.strerror}", "Check [local] in drydock.toml.") from error
        assert process.stdout is not None  # noqa: S101 for the type checker: it is a pipe
        reader = threading.Thread(target=_copy, args=(name, process.stdout), daemon=True)
        reader.start()
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            reader.join(timeout=1)
            process.stdout.close()

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


def _copy(name: str, stream: IO[bytes]) -> None:
    for line in stream:
        print(f"{name} | {line.decode(errors='replace').rstrip()}", flush=True)  # noqa: T201 it is the service's output


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    """SIGINT and SIGTERM end the block with KeyboardInterrupt.

    A shell without job control starts `command &` with SIGINT ignored. Python then installs no handler for it, and
    every SIGINT is lost, so this block installs one.
    """
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _no_signals() -> Iterator[None]:
    """A second Ctrl-C does not cut short a shutdown, which is bounded anyway."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
