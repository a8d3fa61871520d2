"""One migration at a time: a session-level advisory lock on a connection of its own.

A transaction-level lock would not cover revisions that cannot run in a transaction, such as CREATE INDEX CONCURRENTLY.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg

from app.database import UNAVAILABLE

# An arbitrary number that every version of the service must share: "shop" in ASCII.
LOCK = 0x73686F70
POLL_SECONDS = 0.2


class LockTimeoutError(Exception):
    """The database did not answer, or another migration did not finish, before the timeout."""


@contextlib.asynccontextmanager
async def migration_lock(dsn: str, seconds: float) -> AsyncIterator[None]:
    """Hold the lock. Waits up to `seconds` for the database and the lock together, then raises LockTimeoutError."""
    reason = "the database did not answer"
    connection = None
    try:
        async with asyncio.timeout(seconds):
            connection = await _connect(dsn)
            reason = "another migration holds the lock"
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)  # polled, because a waiting pg_advisory_lock cannot be cancelled
    except TimeoutError:
        if connection is not None:
            connection.terminate()
        raise LockTimeoutError(f"{reason} within {seconds:g} s") from None
    try:
        yield
    finally:
        await connection.close()


async def _connect(dsn: str) -> asyncpg.Connection:
    # With these settings the server detects a killed client and releases its lock.
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
