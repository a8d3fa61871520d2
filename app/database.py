"""The database: a bounded pool that opens on demand, and one kind of failure when it cannot serve."""

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

# What says "not now" instead of "you asked for something wrong". SQLSTATE classes: 08 connection, 40 rollback
# (deadlock), 53 resources, 57 operator intervention (shutdown, start-up, cancelled), and a schema not there yet.
UNAVAILABLE = (
    OSError,  # refused, reset, unreachable; TimeoutError is one of them
    asyncpg.InterfaceError,  # the connection or its pool is closed
    asyncpg.InternalClientError,  # a statement sent between the server's farewell and the end of the connection
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
    """The database, or a free connection to it, is not to be had for now. The cause is chained."""


class Database:
    """The pool that requests use. It needs no database to start and recovers by itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool | None = None

    @property
    def command_seconds(self) -> float:
        """After how long a statement is given up."""
        return self._settings.database_command_seconds

    async def open(self) -> None:
        """Make the pool ready to lend connections. It belongs to the running event loop."""
        settings = self._settings
        self._pool = pool = await asyncpg.create_pool(
            settings.dsn,
            min_size=0,  # nothing is opened at the start: the process must come up while the database is away
            max_size=settings.database_pool_size,
            connection_class=TracedConnection,
            timeout=settings.database_connect_seconds,
            command_timeout=settings.database_command_seconds,
            # Requests leave no session state behind; asyncpg's reset would cost a round trip each (439 us -> 225 us).
            reset=_no_reset,
            server_settings={"application_name": settings.pod_name},
        )
        watch_pool(pool.get_max_size(), in_use=lambda: pool.get_size() - pool.get_idle_size(), idle=pool.get_idle_size)

    async def close(self, seconds: float) -> bool:
        """Close the pool, after `seconds` by force. Returns whether every connection had come back by then."""
        if self._pool is None:
            return True
        try:
            await asyncio.wait_for(self._pool.close(), seconds)
        except TimeoutError:
            return False
        return True

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend one connection. Raises DatabaseUnavailableError when there is none, or when it fails in use."""
        try:
            async with self._lent() as connection:
                yield connection
        except UNAVAILABLE as error:
            DATABASE_UNAVAILABLE.labels(type(error).__name__).inc()
            raise DatabaseUnavailableError(type(error).__name__) from error

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend one connection inside a transaction: committed at the end, rolled back on any exception."""
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
    """Leave a returned connection as it is."""


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


DatabaseDep = Annotated[Database, Depends(_database)]
