"""The worker: claims jobs, renders them, and removes each in the transaction that writes its receipt."""

import asyncio
import contextlib
import logging
import math
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from pgqueuer.domain.models import Job
from pgqueuer.domain.types import JobId

from app.database import Connection, Database, DatabaseUnavailableError
from app.observability.metrics import exemplar
from app.receipts import metrics, queue, receipt_book
from app.receipts.renderer import Renderer, RenderingError
from app.settings import Settings

logger = logging.getLogger("app.receipts")
tracer = trace.get_tracer("app.receipts")

# Heartbeats per stale time: a job counts as abandoned only after three missed ones.
BEATS = 4
WATCH_SECONDS = 1


class Worker:
    """Claims as many jobs as there are rendering processes, and sends heartbeats for them.

    A job leaves the queue in its receipt's transaction. Until then it belongs to this worker. Another worker may claim
    it when its last heartbeat is older than RECEIPT_STALE_SECONDS, so a crash loses no job.
    """

    def __init__(self, settings: Settings, database: Database, renderer: Renderer) -> None:
        self._settings = settings
        self._database = database
        self._renderer = renderer
        self._id = uuid.uuid4()
        self._tasks: dict[JobId, asyncio.Task[None]] = {}
        self._stopping = False
        self._news = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def in_hand(self) -> int:
        """The number of jobs claimed and not finished."""
        return len(self._tasks)

    async def run(self) -> None:
        """Work until `finish` is called. During a database outage it waits."""
        try:
            await self._renderer.start()
            async with asyncio.TaskGroup() as group:
                aside = [group.create_task(self._beat()), group.create_task(self._watch_queue())]
                await self._work_off()
                for task in aside:
                    task.cancel()
        finally:
            self._ended.set()

    async def finish(self, seconds: float) -> int:
        """Claim no more jobs and finish those in hand within `seconds`. Returns the number of unfinished jobs.

        Unfinished jobs stay in the queue for another worker. Jobs of a claim in progress count as in hand.
        """
        self._stopping = True
        self._news.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)
        overdue = list(self._tasks.values())
        for task in overdue:
            task.cancel()
        return len(overdue)

    async def _work_off(self) -> None:
        while not (self._stopping and not self._tasks):
            self._news.clear()
            for job in await self._claimed():
                self._take(job)
            await self._pause()

    async def _claimed(self) -> list[Job]:
        free = self._renderer.processes - self.in_hand
        if self._stopping or free <= 0:
            return []
        stale_after = timedelta(seconds=self._settings.receipt_stale_seconds)
        with contextlib.suppress(DatabaseUnavailableError):
            async with self._database.connection() as connection:
                return await queue.claim(connection, self._id, free, stale_after)
        return []

    async def _pause(self) -> None:
        """Wait until a job ends, `finish` is called, or the next poll is due."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), self._settings.receipt_poll_seconds)

    def _take(self, job: Job) -> None:
        if job.id in self._tasks:  # its heartbeats were late, and this worker claimed it again
            return
        self._tasks[job.id] = task = asyncio.create_task(self._work(job))
        metrics.IN_HAND.set(self.in_hand)
        task.add_done_callback(lambda _: self._drop(job))

    def _drop(self, job: Job) -> None:
        del self._tasks[job.id]
        metrics.IN_HAND.set(self.in_hand)
        self._news.set()

    async def _work(self, job: Job) -> None:
        order_id = queue.order_of(job)
        with tracer.start_as_current_span(
            f"process {queue.ENTRYPOINT}",
            context=queue.trace_of(job),
            kind=SpanKind.CONSUMER,
            attributes={"messaging.system": "pgqueuer", "messaging.message.id": str(job.id), "order.id": order_id},
        ):
            try:
                await self._attempt(job, order_id)
            except Exception as error:
                # The job stays in the queue. A worker claims it again once it is stale, until no attempts are left.
                logger.exception("unexpected", extra={"order_id": order_id, "exception": type(error).__name__})

    async def _attempt(self, job: Job, order_id: int) -> None:
        attempt = await self._patiently(lambda connection: receipt_book.begin(connection, order_id))
        if attempt is None:
            await self._find_there(job, order_id)
        elif attempt > self._settings.receipt_attempts:
            await self._give_up(job, order_id, "its worker died at each attempt")
        else:
            await self._render(job, order_id, attempt)

    async def _render(self, job: Job, order_id: int, attempt: int) -> None:
        sale = await self._patiently(lambda connection: receipt_book.sale(connection, order_id))
        began = time.monotonic()
        try:
            document = await self._renderer.render(sale)
        except RenderingError as error:
            last = attempt >= self._settings.receipt_attempts
            await (
                self._give_up(job, order_id, str(error)) if last else self._retry(job, order_id, attempt, str(error))
            )
        else:
            seconds = time.monotonic() - began
            metrics.RENDERING_SECONDS.observe(seconds, exemplar())
            await self._keep(job, order_id, document, seconds)

    async def _keep(self, job: Job, order_id: int, document: bytes, seconds: float) -> None:
        async def keep(connection: Connection) -> float | None:
            waited = await receipt_book.keep(connection, order_id, document, self._settings.pod_name)
            await queue.finish(connection, job)
            return waited

        waited = await self._patiently(keep)
        if waited is None:
            self._log_repeated(order_id)
            return
        metrics.RENDERED.inc(exemplar=exemplar())
        metrics.WAIT_SECONDS.observe(waited, exemplar())
        logger.info(
            "receipt_rendered",
            extra={"order_id": order_id, "seconds": round(seconds, 3), "wait_seconds": round(waited, 3)},
        )

    async def _find_there(self, job: Job, order_id: int) -> None:
        await self._patiently(lambda connection: queue.finish(connection, job))
        self._log_repeated(order_id)

    def _log_repeated(self, order_id: int) -> None:
        metrics.REPEATED.inc()
        logger.info("receipt_repeated", extra={"order_id": order_id})

    async def _retry(self, job: Job, order_id: int, attempt: int, reason: str) -> None:
        delay = self._settings.receipt_retry_seconds * 2 ** (attempt - 1)
        await self._patiently(lambda connection: queue.retry(connection, job, delay))
        metrics.RETRIED.inc()
        logger.warning(
            "receipt_retried",
            extra={"order_id": order_id, "attempt": attempt, "reason": reason, "delay_seconds": delay},
        )

    async def _give_up(self, job: Job, order_id: int, reason: str) -> None:
        async def give_up(connection: Connection) -> None:
            await receipt_book.give_up(connection, order_id, reason)
            await queue.finish(connection, job)

        await self._patiently(give_up)
        metrics.FAILED.inc()
        logger.error("receipt_failed", extra={"order_id": order_id, "reason": reason})

    async def _patiently[T](self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do the work in a transaction, and retry while the database is unavailable: an outage fails no job."""
        while True:
            try:
                async with self._database.transaction() as connection:
                    return await work(connection)
            except DatabaseUnavailableError:
                await asyncio.sleep(self._settings.receipt_poll_seconds)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._settings.receipt_stale_seconds / BEATS)
            if self._tasks:
                with contextlib.suppress(DatabaseUnavailableError):
                    async with self._database.connection() as connection:
                        await queue.beat(connection, self._tasks)

    async def _watch_queue(self) -> None:
        while True:
            depth = queue.Depth(math.nan, math.nan)
            with contextlib.suppress(DatabaseUnavailableError):
                async with self._database.connection() as connection:
                    depth = await queue.depth(connection)
            metrics.QUEUE_JOBS.set(depth.jobs)
            metrics.QUEUE_OLDEST_SECONDS.set(depth.oldest_seconds)
            await asyncio.sleep(WATCH_SECONDS)
