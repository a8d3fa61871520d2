"""The rendering queue: PgQueuer's tables and statements, in the caller's transactions.

PgQueuer's own QueueManager would lose jobs. It acknowledges from a buffer, outside the transaction that wrote the
result. It deletes a job whose task is cancelled or whose retry could not be written (1.6.0, core/qm.py `_dispatch`).
Here the transaction that writes a job's result also removes the job.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job
from pgqueuer.domain.types import JobId, QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter

from app.database import Connection

ENTRYPOINT = QueueEntrypoint("render_receipt")

# Counts the jobs that wait or are being rendered. Keep in step with k8s/autoscaling/keda/receipts.yaml.
DEPTH = f"""
    SELECT count(*) AS jobs, coalesce(extract(epoch FROM now() - min(created)), 0)::float AS oldest_seconds
    FROM pgqueuer WHERE entrypoint = '{ENTRYPOINT}' AND status IN ('queued', 'picked')
"""  # noqa: S608 - of constants

_trace_context = TraceContextTextMapPropagator()


class Depth(NamedTuple):
    """The number of jobs in the queue and the age of the oldest."""

    jobs: float
    oldest_seconds: float


async def enqueue(connection: Connection, order_id: int) -> None:
    """Add a job. Its headers carry the trace context of the current span, the parent of the worker's span."""
    headers: dict[str, str] = {}
    _trace_context.inject(headers)
    await _queries(connection).enqueue(ENTRYPOINT, str(order_id).encode(), headers=headers)


async def claim(connection: Connection, worker: UUID, limit: int, stale_after: timedelta) -> list[Job]:
    """Claim up to `limit` jobs that are unclaimed, or whose worker sent no heartbeat for `stale_after`."""
    return await _queries(connection).dequeue(
        batch_size=limit,
        entrypoints={ENTRYPOINT: EntrypointExecutionParameter(concurrency_limit=0)},
        queue_manager_id=QueueManagerId(worker),
        global_concurrency_limit=None,
        heartbeat_timeout=stale_after,
    )


async def beat(connection: Connection, jobs: Iterable[JobId]) -> None:
    """Send a heartbeat for these jobs."""
    await _queries(connection).update_heartbeat(list(jobs))


async def retry(connection: Connection, job: Job, delay_seconds: float) -> None:
    """Return a job to the queue, to be retried after `delay_seconds`."""
    await _queries(connection).retry_job(job, timedelta(seconds=delay_seconds), None)


async def finish(connection: Connection, job: Job) -> None:
    """Remove a job and its rows in PgQueuer's log. The receipt records the result, and nothing else prunes the log."""
    await connection.execute(
        "WITH job AS (DELETE FROM pgqueuer WHERE id = $1) DELETE FROM pgqueuer_log WHERE job_id = $1", job.id
    )


async def depth(connection: Connection) -> Depth:
    return Depth(*await connection.fetchrow(DEPTH))


def order_of(job: Job) -> int:
    """The ID of the order whose receipt the job renders."""
    return int(job.payload or b"")


def trace_of(job: Job) -> Context:
    """The trace context of the request that added the job."""
    return _trace_context.extract(job.headers or {})


def _queries(connection: Connection) -> Queries:
    return Queries.from_asyncpg_connection(connection)
