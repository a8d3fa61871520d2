"""Startup and shutdown of the process. Each shutdown step is bounded."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI

from app.database import Database
from app.drain import Drain
from app.observability.event_loop import watch_lag
from app.observability.tracing import Traces
from app.schema import SchemaProbe
from app.settings import Settings
from app.shutdown import flush_telemetry, step

logger = logging.getLogger("app.lifecycle")


class Lifecycle:
    """The application's `lifespan`. Its shutdown runs after the listener is closed and the last response is sent."""

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
            await step("pool_closed", self.database.close(self.settings.pool_close_seconds))
            await flush_telemetry(self.settings, self.traces)
            logger.info("stopped")
