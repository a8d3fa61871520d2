"""Alembic's environment, for the Job (`python -m app.migrations`) and for `alembic upgrade head` by hand."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Any

import asyncpg
from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from app.migrations.lock import migration_lock
from app.settings import load_settings

logger = logging.getLogger("app.migrations")

# While a statement waits for a table's lock, every request to that table queues behind it.
LOCK_TIMEOUT = "5s"


def _log_revision(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    logger.info("revision_applied", extra={"revision": step.up_revision_id})


def _run(connection: Connection) -> None:
    context.configure(connection=connection, transaction_per_migration=True, on_version_apply=_log_revision)
    with context.begin_transaction():
        context.run_migrations()


async def _upgrade() -> None:
    settings = load_settings()

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            settings.dsn, server_settings={"application_name": "migration", "lock_timeout": LOCK_TIMEOUT}
        )

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=pool.NullPool)
    async with migration_lock(settings.dsn, settings.migration_lock_seconds), engine.connect() as connection:
        await connection.run_sync(_run)


asyncio.run(_upgrade())
