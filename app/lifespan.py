"""The start and the end of the process: what is opened, and what is closed in which order, each step bounded."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from fastapi import FastAPI

from app.database import Database
from app.drain import Drain
from app.observability import sentry
from app.observability.event_loop import watch_lag
from app.observability.tracing import Traces
from app.schema import SchemaProbe
from app.settings import Settings

logger = logging.getLogger("app.lifecycle")


class Lifecycle:
    """The modern `lifespan`. It runs after the server has stopped listening and the last response has left."""

    def __init__(
        self, settings: Settings, database: Database, schema: SchemaProbe, drain: Drain, traces: Traces | None
    ) -> None:
        self.settings = settings
        self.database = database
        self.schema = schema
        self.drain = drain
        self.traces = traces

    @contextlib.asynccontextmanager
    async def __call__(self, _app: FastAPI) -> AsyncIterator[None]:
        logger.info("startup", extra={"version": self.settings.service_version, "pod": self.settings.pod_name})
        await self.database.open()
        self.drain.install()
        watch = asyncio.create_task(watch_lag())
        try:
            yield
        finally:
            watch.cancel()
            self.schema.close()
            await _step("pool_closed", self.database.close(self.settings.pool_close_seconds))
            flush = asyncio.to_thread(self._flush, self.settings.telemetry_flush_seconds)
            await _step("telemetry_flushed", flush, self._spans)
            logger.info("stopped")

    def _flush(self, seconds: float) -> bool:
        began = time.monotonic()
        complete = self.traces is None or self.traces.flush(seconds)
        if self.settings.sentry_dsn is not None:
            sentry.flush(max(0, seconds - (time.monotonic() - began)))
        return complete

    def _spans(self) -> dict[str, int]:
        delivered, lost = (self.traces.delivery.delivered, self.traces.delivery.lost) if self.traces else (0, 0)
        return {"delivered": delivered, "lost": lost}


async def _step(event: str, work: Coroutine[Any, Any, bool], account: Callable[[], dict[str, int]] = dict) -> None:
    """Do one step of the shutdown and log it: whether it was completed within its bound, how long it took, its account.

    A warning where the account names something lost.
    """
    began = time.monotonic()
    complete = await work
    counts = account()
    logger.log(
        logging.WARNING if counts.get("lost") else logging.INFO,
        event,
        extra={"complete": complete, "seconds": round(time.monotonic() - began, 3), **counts},
    )
