"""A program of the service, for real: how it is stopped, and what becomes of what it started."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from drydock.core.errors import CannotRunError
from drydock.local.process import ServiceProcess
from tests.polling import poll_until

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
OBEDIENT = "import time; print('up', flush=True); time.sleep(60)"
PARENT = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid)"


class Output:
    """The lines of a program, as they come."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._begun = asyncio.Event()

    def add(self, line: str) -> None:
        self.lines.append(line)
        self._begun.set()

    async def first(self) -> str:
        await asyncio.wait_for(self._begun.wait(), 10)
        return self.lines[0]


async def started(program: str, output: Output) -> ServiceProcess:
    return await ServiceProcess.start([sys.executable, "-c", program], os.environ, Path.cwd(), output.add)


async def test_sigterm_ends_it_at_once_and_its_code_says_so() -> None:
    process = await started(OBEDIENT, output := Output())
    await output.first()

    await process.stop(grace=30)

    assert process.code == -signal.SIGTERM


async def test_sigterm_comes_after_the_prestop_seconds() -> None:
    process = await started(OBEDIENT, output := Output())
    await output.first()
    began = asyncio.get_running_loop().time()

    await process.stop(grace=30, prestop=0.5)

    assert 0.5 <= asyncio.get_running_loop().time() - began < 10


async def test_it_is_killed_at_the_end_of_its_grace_period() -> None:
    process = await started(STUBBORN, output := Output())
    await output.first()

    await process.stop(grace=0.5)

    assert process.code == -signal.SIGKILL


async def test_what_it_started_ends_with_it_and_keeps_nobody_waiting() -> None:
    process = await started(PARENT, output := Output())

    async with asyncio.timeout(10):
        assert await process.wait() == 0

    child = int(output.lines[0])
    poll_until(
        lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE, "its child", 5
    )


async def test_every_line_arrives_whole_also_the_last_one() -> None:
    process = await started("print('a' * 2_000_000); print('b', end='')", output := Output())

    await process.wait()

    assert [len(line) for line in output.lines] == [2_000_000, 1]


async def test_a_program_that_is_not_there_is_named_with_where_to_look() -> None:
    with pytest.raises(CannotRunError, match="no-such-program") as refused:
        await ServiceProcess.start(["no-such-program"], os.environ, Path.cwd(), print)

    assert "[local]" in refused.value.remedy
