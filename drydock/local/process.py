"""A program of the service on this machine, as a container runs it: alone in a session, ended with all it started."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, cast

from drydock.core.errors import CannotRunError

# A process that left the session may hold the output open. Reading stops after this time.
OUTPUT_SECONDS = 1.0


class ServiceProcess(asyncio.SubprocessProtocol):
    """A running program; `on_line` is called with each line of its output. Belongs to the event loop it is started in.

    A session of its own keeps Ctrl-C from it: only we stop it, in our order. When it ends, what it has started is
    killed, as in a container, whose first process it would be.
    """

    def __init__(self, on_line: Callable[[str], object]) -> None:
        loop = asyncio.get_running_loop()
        self.pid = 0
        self._on_line = on_line
        self._unfinished = b""
        self._code: asyncio.Future[int] = loop.create_future()
        self._output_closed: asyncio.Future[None] = loop.create_future()

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], folder: Path, on_line: Callable[[str], object]
    ) -> Self:
        """Starts `command` in `folder` with exactly `environment`.

        Raises:
            CannotRunError: there is no such program, or it may not be run.
        """
        process = cls(on_line)
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: process,
                *command,
                cwd=folder,
                env=dict(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise CannotRunError(f"{command[0]}: {error.strerror}", "Check [local] in drydock.toml.") from error
        return process

    @property
    def code(self) -> int | None:
        """The exit code, or the negative number of the signal that ended it; None while it runs."""
        return self._code.result() if self._code.done() else None

    async def wait(self) -> int:
        """Waits for its end and for its output; returns the exit code."""
        code = await asyncio.shield(self._code)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OUTPUT_SECONDS):
                await asyncio.shield(self._output_closed)
        return code

    async def stop(self, grace: float, prestop: float = 0.0, on_sigterm: Callable[[], object] = lambda: None) -> None:
        """Sends SIGTERM after `prestop` seconds, and SIGKILL `grace` seconds after the call; returns when it ended."""
        deadline = asyncio.get_running_loop().time() + grace
        await asyncio.sleep(min(prestop, grace))
        self._send(os.kill, signal.SIGTERM)
        on_sigterm()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await asyncio.shield(self._code)
        self.kill()
        await self.wait()

    def kill(self) -> None:
        """Sends SIGKILL to the process and its children."""
        self._send(os.killpg, signal.SIGKILL)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It runs."""
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self.pid = self._transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Passes on the lines that are complete."""
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        for line in lines:
            self._on_line(line.decode(errors="replace"))

    def process_exited(self) -> None:
        """Kills the children of the process."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses where only zombies are left
            os.killpg(self.pid, signal.SIGKILL)
        self._code.set_result(cast(int, self._transport.get_returncode()))

    def connection_lost(self, error: Exception | None) -> None:
        """Its output has ended."""
        if self._unfinished:
            self._on_line(self._unfinished.decode(errors="replace"))
        self._output_closed.set_result(None)

    def _send(self, to: Callable[[int, int], None], number: signal.Signals) -> None:
        if not self._code.done():
            with contextlib.suppress(ProcessLookupError):
                to(self.pid, number)
