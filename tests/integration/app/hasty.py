"""The negative control of the account of receipts: a worker that acknowledges a job as soon as it has it."""

import sys
from datetime import timedelta
from uuid import UUID

from pgqueuer.domain.models import Job

from app.database import Connection
from app.receipts import queue
from app.receipts.__main__ import main

claim = queue.claim


async def claim_and_finish(connection: Connection, worker: UUID, limit: int, stale_after: timedelta) -> list[Job]:
    """Take jobs out of the queue before anything is rendered."""
    jobs = await claim(connection, worker, limit, stale_after)
    for job in jobs:
        await queue.finish(connection, job)
    return jobs


if __name__ == "__main__":
    queue.claim = claim_and_finish
    sys.exit(main())
