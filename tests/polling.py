"""Waiting, as every test of a running system does it: for a condition, with a deadline, saying what was waited for."""

import asyncio
import time
from collections.abc import Awaitable, Callable

INTERVAL_SECONDS = 0.05


def poll_until[T](check: Callable[[], T | None], what: str, seconds: float = 20) -> T:
    """The first true value of `check`. Fails, naming `what` and the last value, when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}; the last look gave {value!r}")
        time.sleep(INTERVAL_SECONDS)


async def poll_until_async[T](check: Callable[[], Awaitable[T | None]], what: str, seconds: float = 20) -> T:
    """`poll_until` for a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        value = await check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}; the last look gave {value!r}")
        await asyncio.sleep(INTERVAL_SECONDS)
