"""The service's processes on this machine, for `up --platform local` and for drills.

First the embedded PostgreSQL, then the migrations, then processes of the service; they end in the reverse order.
"""

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from drydock.core.console import step
from drydock.core.errors import FailedError
from drydock.core.project import Project
from drydock.local.postgres import EmbeddedPostgres
from drydock.local.process import ServiceProcess
from drydock.system import signals
from drydock.system.ports import LOOPBACK

REASON_LINES = 20


class LocalRuntime:
    """A running PostgreSQL, and an event loop, in a thread of its own, for the processes of a project's service."""

    def __init__(self, project: Project, postgres: EmbeddedPostgres, loop: asyncio.AbstractEventLoop) -> None:
        self.project = project
        self.postgres = postgres
        self._loop = loop
        self._processes: list[ServiceProcess] = []
        self._starting = asyncio.Lock()

    @classmethod
    @contextmanager
    def started(cls, project: Project, database: Path) -> Iterator[Self]:
        """Runs while the block lasts, with the database's files in `database`. Kills leftovers after it.

        Raises:
            CannotRunError: PostgreSQL does not start.
        """
        name = project.configuration.workload.deployment
        with EmbeddedPostgres(database, name=name) as postgres, _loop_in_a_thread() as loop:
            runtime = cls(project, postgres, loop)
            try:
                yield runtime
            finally:
                with signals.deferred():
                    runtime.wait(runtime._kill_all())

    def wait[R](self, work: Coroutine[Any, Any, R]) -> R:
        """Does `work` in the event loop; returns its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def migrate(self, variables: Mapping[str, str], on_line: Callable[[str], object] | None = None) -> None:
        """Runs the migrations. `on_line` gets their output; without it, an error carries the end of it.

        Raises:
            FailedError: they ended with another code than 0.
        """
        kept: deque[str] = deque(maxlen=REASON_LINES)
        with step("migrations"):
            command = self.project.configuration.local.migrate
            process = self.wait(self.start(command, variables, on_line or kept.append))
            if code := self.wait(process.wait()):
                reason = "\n".join([f"the migrations ended with code {code}", *kept])
                raise FailedError(reason, "Their reason is above.")

    async def start(
        self, command: Sequence[str], variables: Mapping[str, str], on_line: Callable[[str], object]
    ) -> ServiceProcess:
        """Starts a program of the service in the project's folder, with `variables` added to our own environment.

        Raises:
            CannotRunError: there is no such program.
        """
        async with self._starting:
            process = await ServiceProcess.start(command, _environment(variables), self.project.root, on_line)
            self._processes = [*(it for it in self._processes if it.code is None), process]
        return process

    async def _kill_all(self) -> None:
        async with self._starting:  # Ctrl-C may have ended the wait for a start, and not the start
            for process in self._processes:
                process.kill()
        await asyncio.gather(*(process.wait() for process in self._processes))


def serve_command(project: Project, port: int) -> list[str]:
    """The image's command, listening on a port of the loopback interface."""
    return [*project.configuration.local.command, "--host", LOOPBACK, "--port", str(port)]


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Our own with `variables`; the programs of our virtual environment come first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, **variables, "PATH": path, "PYTHONUNBUFFERED": "1"}


@contextmanager
def _loop_in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """Runs the loop in a thread. The main thread waits for it and receives the signals."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="local", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
