"""One migration at a time: a session-level advisory lock on a connection that does nothing else.

A transaction-level lock would be lost by revisions that cannot run in a transaction, such as CREATE INDEX CONCURRENTLY.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg

from app.database import UNAVAILABLE

# Any number will do, as long as every version of the service uses the same: "shop" in ASCII.
LOCK = 0x73686F70
POLL_SECONDS = 0.2


class LockTimeoutError(Exception):
    """The database did not answer, or another migration did not end, within the time allowed."""


@contextlib.asynccontextmanager
async def migration_lock(dsn: str, seconds: float) -> AsyncIterator[None]:
    """Hold the lock. Waits up to `seconds` for the database to answer and for the lock; raises LockTimeoutError."""
    reason = "the database did not answer"
    connection = None
    try:
        async with asyncio.timeout(seconds):
            connection = await _connect(dsn)
            reason = "another migration holds the lock"
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)  # polled: a waiting pg_advisory_lock could not be given up
    except TimeoutError:
        if connection is not None:
            connection.terminate()
        raise LockTimeoutError(f"{reason} within {seconds:g} s") from None
    try:
        yield
    finally:
        await connection.close()


async def _connect(dsn: str) -> asyncpg.Connection:
    # The server notices a client that was killed while it waits, and lets the lock go.
    settings = {
        "application_name": "migration lock",
        "tcp_keepalives_idle": "10",
        "client_connection_check_interval": "5s",
    }
    while True:
        try:
            return await asyncpg.connect(dsn, timeout=5, server_settings=settings)
        except UNAVAILABLE:
            await asyncio.sleep(POLL_SECONDS)
