"""The event loop's lag: the delay that a blocking call in a coroutine, or a starved CPU, adds to every request."""

import asyncio
import time

from prometheus_client import Histogram

SAMPLE_SECONDS = 0.25
# From the resolution of uvloop's timers (1 ms) to the period of the liveness probe (10 s).
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

LAG_SECONDS = Histogram(
    "event_loop_lag_seconds", "Delay of an event loop timer, sampled 4 times a second.", buckets=LAG_BUCKETS
)


async def watch_lag() -> None:
    """Sample until cancelled."""
    while True:
        due = time.monotonic() + SAMPLE_SECONDS
        await asyncio.sleep(SAMPLE_SECONDS)
        LAG_SECONDS.observe(max(0, time.monotonic() - due))
