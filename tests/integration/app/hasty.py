"""The negative control of the receipt audit: a worker that acknowledges each job as soon as it claims it."""

import sys
from datetime import timedelta
from uuid import UUID

from pgqueuer.domain.models import Job

from app.database import Connection
from app.receipts import queue
from app.receipts.__main__ import main

claim = queue.claim


async def claim_and_finish(connection: Connection, worker: UUID, limit: int, stale_after: timedelta) -> list[Job]:
    """Remove jobs from the queue before they are rendered."""
    jobs = await claim(connection, worker, limit, stale_after)
    for job in jobs:
        await queue.finish(connection, job)
    return jobs


if __name__ == "__main__":
    queue.claim = claim_and_finish
    sys.exit(main())
