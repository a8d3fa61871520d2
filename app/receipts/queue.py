"""The queue of receipts to render: PgQueuer's tables and statements, in the transactions of whoever calls.

PgQueuer's own QueueManager is not used. It acknowledges from a buffer, apart from the transaction that wrote the
result; it deletes a job whose task is cancelled, and one whose retry could not be written (1.6.0, core/qm.py
`_dispatch`). Here a job ends in the transaction that writes what became of it, and in no other.
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

# What waits or is being rendered; k8s/autoscaling/keda/receipts.yaml asks the same.
DEPTH = f"""
    SELECT count(*) AS jobs, coalesce(extract(epoch FROM now() - min(created)), 0)::float AS oldest_seconds
    FROM pgqueuer WHERE entrypoint = '{ENTRYPOINT}' AND status IN ('queued', 'picked')
"""  # noqa: S608 - of constants

_trace_context = TraceContextTextMapPropagator()


class Depth(NamedTuple):
    """How much there is to do, and for how long the oldest of it has waited."""

    jobs: float
    oldest_seconds: float


async def enqueue(connection: Connection, order_id: int) -> None:
    """Add a job. It carries the current span, to which the worker's will belong."""
    headers: dict[str, str] = {}
    _trace_context.inject(headers)
    await _queries(connection).enqueue(ENTRYPOINT, str(order_id).encode(), headers=headers)


async def claim(connection: Connection, worker: UUID, limit: int, stale_after: timedelta) -> list[Job]:
    """Up to `limit` jobs that nobody has, or whose worker gave no sign of life for `stale_after`."""
    return await _queries(connection).dequeue(
        batch_size=limit,
        entrypoints={ENTRYPOINT: EntrypointExecutionParameter(concurrency_limit=0)},
        queue_manager_id=QueueManagerId(worker),
        global_concurrency_limit=None,
        heartbeat_timeout=stale_after,
    )


async def beat(connection: Connection, jobs: Iterable[JobId]) -> None:
    """Say that these jobs are still in hand."""
    await _queries(connection).update_heartbeat(list(jobs))


async def retry(connection: Connection, job: Job, delay_seconds: float) -> None:
    """Give a job back, to be taken up again after `delay_seconds`."""
    await _queries(connection).retry_job(job, timedelta(seconds=delay_seconds), None)


async def finish(connection: Connection, job: Job) -> None:
    """Remove a job, with PgQueuer's log of it: the receipt says what became of it, and nobody would prune the log."""
    await connection.execute(
        "WITH job AS (DELETE FROM pgqueuer WHERE id = $1) DELETE FROM pgqueuer_log WHERE job_id = $1", job.id
    )


async def depth(connection: Connection) -> Depth:
    """The queue as it is now."""
    return Depth(*await connection.fetchrow(DEPTH))


def order_of(job: Job) -> int:
    """The order whose receipt is to be rendered."""
    return int(job.payload or b"")


def trace_of(job: Job) -> Context:
    """The span of the request that asked for it."""
    return _trace_context.extract(job.headers or {})


def _queries(connection: Connection) -> Queries:
    return Queries.from_asyncpg_connection(connection)
