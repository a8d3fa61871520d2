"""Running the judge as a process of its own against a server of the test's."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drydock.judge.plan import VARIABLE, Plan, Request
from drydock.judge.run import WARM
from drydock.judge_client import log
from drydock.requests import records
from drydock.requests.records import Record

GET = Request("GET", "/products/{product_id}", "/products/7")
ORDER = Request("POST", "/orders", "/orders", body='{"lines": [{"product_id": {subject}, "quantity": 1}]}', key=True)
MAKE = Request("POST", "/products", "/products", body='{"name": "judged"}')
COMMAND = (sys.executable, "-m", "drydock.judge")
END_SECONDS = 120.0


@dataclass(frozen=True)
class Judged:
    """What a run of the judge left."""

    code: int
    said: Sequence[log.Line]
    complaints: str
    records: Sequence[Record]

    @property
    def summary(self) -> dict[str, Any]:
        """How exact it was."""
        summary: dict[str, Any] = next(line["summary"] for line in self.said if "summary" in line)
        return summary


def plan(url: str, rate: float = 200, seconds: float = 2, **more: Any) -> Plan:
    """A plan without subjects and without long requests, so that the server counts as the judge does."""
    plain = Plan(url, rate, seconds, 5, 0, "id", prepare=MAKE, requests=(GET,), kept_connections=5, long_rate=0)
    return replace(plain, served_by_header="X-Served-By", **more)


def after_warming_up(number: int) -> int:
    """The number of a request as the judge counts: those of its warming up come first."""
    return number - WARM


async def judge(
    wanted: Plan,
    folder: Path,
    meanwhile: Callable[[asyncio.subprocess.Process], Awaitable[None]] | None = None,
    variables: Mapping[str, str] | None = None,
    command: Sequence[str] = COMMAND,
) -> Judged:
    """Runs a plan to its end; `meanwhile` begins when the judge begins to send."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, VARIABLE: wanted.as_json(), **(variables or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    try:
        async with asyncio.timeout(END_SECONDS):
            return await _read(process, folder, meanwhile)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def _read(
    process: asyncio.subprocess.Process,
    folder: Path,
    meanwhile: Callable[[asyncio.subprocess.Process], Awaitable[None]] | None,
) -> Judged:
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    text, acting = [], None
    async for line in process.stdout:
        text.append(line.decode())
        if meanwhile is not None and acting is None and '"began"' in text[-1]:
            acting = asyncio.create_task(_call(meanwhile, process))
    if acting is not None:
        await acting
    code = await process.wait()
    if code == 0:
        log.collect("".join(text), folder)
    sent = records.read(folder / records.FILE) if code == 0 else []
    return Judged(code, list(log.lines(text)), (await complaints).decode(), sent)


async def _call(
    meanwhile: Callable[[asyncio.subprocess.Process], Awaitable[None]], process: asyncio.subprocess.Process
) -> None:
    await meanwhile(process)
