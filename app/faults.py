"""Fault switches for experiments, served only with FAULTS_ENABLED=true. Each affects only the process that answers."""

import asyncio
import random
import threading
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Receive, Scope, Send

from app.database import DatabaseDep
from app.observability.platform_requests import PREFIXES
from app.problems import ProblemError, documented, problem_response
from app.request_body import RequestBody

router = APIRouter(prefix="/faults", tags=["faults"])

# Injected faults never affect probes, scrapes and the switches themselves.
EXEMPT = (*PREFIXES, "/faults")

Seconds = Annotated[float, Field(gt=0, le=60)]


class Switches(RequestBody):
    """Faults that affect every request until they are switched off."""

    latency_seconds: float = Field(0, ge=0, le=30, description="delay added to every response")
    error_ratio: float = Field(0, ge=0, le=1, description="share of requests that get a 500")
    unready: bool = Field(False, description="fail the readiness check")


class Burst(RequestBody):
    """A fault that ends by itself."""

    seconds: Seconds


class Leak(RequestBody):
    """Memory that stays allocated until the switches are cleared."""

    mebibytes: int = Field(ge=1, le=1024)


class Leaked(BaseModel):
    """The memory leaked so far."""

    mebibytes: int


class Faults:
    """The switches of this process."""

    def __init__(self) -> None:
        self.switches = Switches()
        self.leaked: list[bytearray] = []

    async def check(self) -> str | None:
        """A readiness check that fails on demand."""
        return "switched off by /faults" if self.switches.unready else None


class InjectFaults:
    """Delays and fails requests according to the switches."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app = app
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(EXEMPT):
            return await self.app(scope, receive, send)
        switches = self.faults.switches
        if switches.latency_seconds:
            await asyncio.sleep(switches.latency_seconds)
        if random.random() < switches.error_ratio:  # noqa: S311 - chance, not secrecy
            return await problem_response(500, "Injected fault.")(scope, receive, send)
        return await self.app(scope, receive, send)


async def _faults(request: Request) -> Faults:
    faults: Faults = request.app.state.faults
    return faults


FaultsDep = Annotated[Faults, Depends(_faults)]


@router.get("")
async def show(faults: FaultsDep) -> Switches:
    """Read the current switches."""
    return faults.switches


@router.put("", responses=documented(400, 422))
async def switch(switches: Switches, faults: FaultsDep) -> Switches:
    """Set all switches at once."""
    faults.switches = switches
    return switches


@router.delete("", status_code=204)
async def clear(faults: FaultsDep) -> None:
    """Switch all faults off and free the leaked memory."""
    faults.switches = Switches()
    faults.leaked.clear()


@router.post("/burn-cpu", status_code=202, responses=documented(400, 422))
async def burn_cpu(burst: Burst) -> Burst:
    """Burn CPU in a thread that competes with requests for the interpreter."""
    threading.Thread(target=_burn, args=(burst.seconds,), daemon=True).start()
    return burst


@router.post("/block-loop", responses=documented(400, 422))
async def block_loop(burst: Burst) -> Burst:
    """Block the event loop, as a blocking call in a coroutine does. The process answers nothing, not even probes."""
    time.sleep(burst.seconds)  # noqa: ASYNC251 - the fault itself
    return burst


@router.post("/leak", responses=documented(400, 422))
async def leak(amount: Leak, faults: FaultsDep) -> Leaked:
    """Allocate memory and keep it."""
    block = bytearray(amount.mebibytes * 2**20)
    block[::4096] = b"\1" * len(block[::4096])  # the kernel allocates a page on its first write
    faults.leaked.append(block)
    return Leaked(mebibytes=sum(map(len, faults.leaked)) // 2**20)


@router.get("/slow-query", responses=documented(422, 503))
async def slow_query(
    database: DatabaseDep,
    seconds: Annotated[float, Query(gt=0, le=5, allow_inf_nan=False, description="duration of the statement")] = 0.2,
) -> Burst:
    """Hold one pool connection with a statement that takes `seconds` and hardly any CPU: I/O-bound load.

    A process answers at most pool size / seconds of these per second (5 / 0.2 s = 25), even with an idle CPU.
    """
    if seconds >= database.command_seconds:
        raise ProblemError(422, f"Statements time out after {database.command_seconds:g} s. Choose a shorter time.")
    async with database.connection() as connection:
        await connection.execute("SELECT pg_sleep($1)", seconds)
    return Burst(seconds=seconds)


def _burn(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
