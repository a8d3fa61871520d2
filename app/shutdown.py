"""The shutdown steps: each is bounded and logged under a fixed name."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from app.observability import sentry
from app.observability.tracing import Traces
from app.settings import Settings

logger = logging.getLogger("app.lifecycle")


async def step(event: str, work: Coroutine[Any, Any, bool], account: Callable[[], dict[str, int]] = dict) -> None:
    """Run one step and log its completion within the bound, its duration and its counts.

    Logs a warning if `account` counts anything as lost.
    """
    began = time.monotonic()
    complete = await work
    counts = account()
    logger.log(
        logging.WARNING if counts.get("lost") else logging.INFO,
        event,
        extra={"complete": complete, "seconds": round(time.monotonic() - began, 3), **counts},
    )


async def flush_telemetry(settings: Settings, traces: Traces | None) -> None:
    """Send the last spans and reports, within TELEMETRY_FLUSH_SECONDS."""

    def flush() -> bool:
        seconds = settings.telemetry_flush_seconds
        began = time.monotonic()
        complete = traces is None or traces.flush(seconds)
        if settings.sentry_dsn is not None:
            sentry.flush(max(0, seconds - (time.monotonic() - began)))
        return complete

    def spans() -> dict[str, int]:
        delivered, lost = (traces.delivery.delivered, traces.delivery.lost) if traces else (0, 0)
        return {"delivered": delivered, "lost": lost}

    await step("telemetry_flushed", asyncio.to_thread(flush), spans)
