"""The worker's process: the worker, a small server for probes and scrapes, and the shutdown."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from app import health
from app.database import Database
from app.middleware.served_by import ServedBy
from app.observability.event_loop import watch_lag
from app.observability.tracing import configure_tracing
from app.readiness import Readiness
from app.receipts.renderer import Renderer
from app.receipts.worker import Worker
from app.schema import SchemaProbe
from app.settings import Settings
from app.shutdown import flush_telemetry, step

logger = logging.getLogger("app.lifecycle")


class WorkerProcess:
    """One worker and its dependencies."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._traces = configure_tracing(settings)
        self._database = Database(settings)
        self._schema = SchemaProbe(settings)
        self._renderer = Renderer(settings.receipt_processes, settings.receipt_render_seconds)
        self._worker = Worker(settings, self._database, self._renderer)
        self._stop = asyncio.Event()

    async def run(self, host: str, port: int) -> int:
        """Work until SIGTERM. Returns the exit code: 1 after a failure that needs a new process, otherwise 0."""
        logger.info("startup", extra={"version": self._settings.service_version, "pod": self._settings.pod_name})
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        await self._database.open()
        server = _Server(uvicorn.Config(self._operations(), host, port, log_config=None, lifespan="off"))
        serving, lag = asyncio.create_task(server.serve()), asyncio.create_task(watch_lag())
        working, stopped = asyncio.create_task(self._worker.run()), asyncio.create_task(self._stop.wait())
        await asyncio.wait({working, serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        failed = not self._stop.is_set()
        if working.done() and (error := working.exception()):
            logger.error("worker_failed", exc_info=error)
        self._stop.set()
        await self._finish()
        lag.cancel()
        # The server stops last, so that the last scrape includes the last receipt.
        server.should_exit = True
        await serving
        logger.info("stopped")
        return int(failed)

    def _operations(self) -> FastAPI:
        """The routes of the probes and the scrape."""
        readiness = Readiness(self._settings.readiness_seconds)
        readiness.add("database", self._schema.database)
        readiness.add("migrations", self._schema.migrations)
        readiness.add("renderer", self._renderer.check)
        readiness.add("draining", self._draining)
        app = FastAPI(title="Receipts", version=self._settings.service_version, openapi_url=None)
        app.state.readiness = readiness
        app.include_router(health.router)
        app.add_middleware(ServedBy, pod_name=self._settings.pod_name)
        return app

    async def _draining(self) -> str | None:
        return "in progress" if self._stop.is_set() else None

    async def _finish(self) -> None:
        settings = self._settings
        logger.info("draining", extra={"drain_seconds": settings.graceful_seconds, "in_flight": self._worker.in_hand})
        overdue = await self._worker.finish(settings.graceful_seconds)
        logger.info("drained", extra={"in_flight": overdue})
        self._renderer.close()
        self._schema.close()
        await step("pool_closed", self._database.close(settings.pool_close_seconds))
        await flush_telemetry(settings, self._traces)


class _Server(uvicorn.Server):
    """A server without signal handlers: on SIGTERM the process stops the worker first and the server last."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
