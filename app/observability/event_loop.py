"""The event loop's lag: what a blocking call in a coroutine, or a starved CPU, adds to every request."""

import asyncio
import time

from prometheus_client import Histogram

SAMPLE_SECONDS = 0.25
# From uvloop's own grain (1 ms) to where the liveness probe gives up (10 s).
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

LAG_SECONDS = Histogram(
    "event_loop_lag_seconds", "How late a timer of the event loop ran, sampled 4 times a second.", buckets=LAG_BUCKETS
)


async def watch_lag() -> None:
    """Sample until cancelled."""
    while True:
        due = time.monotonic() + SAMPLE_SECONDS
        await asyncio.sleep(SAMPLE_SECONDS)
        LAG_SECONDS.observe(max(0, time.monotonic() - due))
