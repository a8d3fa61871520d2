"""The database: a bounded pool that opens connections on demand, and one exception when it is unavailable."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Annotated

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from fastapi import Depends, Request

from app.observability.metrics import DATABASE_UNAVAILABLE, POOL_ACQUIRE_SECONDS, POOL_WAITING, watch_pool
from app.observability.statements import TracedConnection
from app.settings import Settings

type Connection = PoolConnectionProxy[asyncpg.Record]

# Temporary failures, as opposed to invalid requests. SQLSTATE classes: 08 connection, 40 rollback (deadlock),
# 53 resources, 57 operator intervention (shutdown, start-up, cancelled), and a schema that is not migrated yet.
UNAVAILABLE = (
    OSError,  # refused, reset, unreachable; includes TimeoutError
    asyncpg.InterfaceError,  # the connection or its pool is closed
    asyncpg.InternalClientError,  # a statement sent after the server's shutdown message, before the connection closed
    asyncpg.PostgresConnectionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
)


class DatabaseUnavailableError(Exception):
    """The database is unreachable, or the pool has no free connection. The cause is chained."""


class Database:
    """The connection pool of the requests. It starts without a database and recovers by itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool | None = None

    @property
    def command_seconds(self) -> float:
        """The timeout of one statement, in seconds."""
        return self._settings.database_command_seconds

    async def open(self) -> None:
        """Create the pool on the running event loop."""
        settings = self._settings
        self._pool = pool = await asyncpg.create_pool(
            settings.dsn,
            min_size=0,  # no connection at startup: the process must start while the database is down
            max_size=settings.database_pool_size,
            connection_class=TracedConnection,
            timeout=settings.database_connect_seconds,
            command_timeout=settings.database_command_seconds,
            # Requests leave no session state. asyncpg's reset would add a round trip to each (225 us -> 439 us).
            reset=_no_reset,
            server_settings={"application_name": settings.pod_name},
        )
        watch_pool(pool.get_max_size(), in_use=lambda: pool.get_size() - pool.get_idle_size(), idle=pool.get_idle_size)

    async def close(self, seconds: float) -> bool:
        """Close the pool. Returns False if connections were still in use after `seconds`."""
        if self._pool is None:
            return True
        try:
            await asyncio.wait_for(self._pool.close(), seconds)
        except TimeoutError:
            return False
        return True

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Acquire one connection. Raises DatabaseUnavailableError if none is free or if it fails in use."""
        try:
            async with self._lent() as connection:
                yield connection
        except UNAVAILABLE as error:
            DATABASE_UNAVAILABLE.labels(type(error).__name__).inc()
            raise DatabaseUnavailableError(type(error).__name__) from error

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Acquire one connection inside a transaction: committed at the end, rolled back on any exception."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @contextlib.asynccontextmanager
    async def _lent(self) -> AsyncIterator[Connection]:
        if self._pool is None:
            raise asyncpg.InterfaceError("the pool is not open")
        asked = time.perf_counter()
        with POOL_WAITING.track_inprogress():
            connection = await self._pool.acquire(timeout=self._settings.database_acquire_seconds)
        POOL_ACQUIRE_SECONDS.observe(time.perf_counter() - asked)
        try:
            yield connection
        finally:
            await self._pool.release(connection)


async def _no_reset(_connection: asyncpg.Connection) -> None:
    """Do nothing when a connection returns to the pool."""


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


DatabaseDep = Annotated[Database, Depends(_database)]
