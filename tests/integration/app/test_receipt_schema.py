"""The queue's schema in the migrations is the one that PgQueuer's library needs."""

import asyncpg
from pgqueuer.adapters.persistence.queries import Queries

from tests.integration.app.conftest import CreateDatabase


async def planned(dsn: str) -> tuple[str, ...]:
    """What the library would do to bring this database's schema to its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return tuple((await Queries.from_asyncpg_connection(connection).plan_upgrade()).statements)
    finally:
        await connection.close()


async def test_the_library_finds_the_schema_that_it_needs(database: str) -> None:
    assert await planned(database) == (), "a new version of pgqueuer needs a revision with these statements"


async def test_the_library_finds_out_what_is_missing(create_database: CreateDatabase, migrated: str) -> None:
    """The negative control."""
    dsn = create_database(migrated)
    connection = await asyncpg.connect(dsn)
    await connection.execute("DROP INDEX pgqueuer_picked_heartbeat_idx")
    await connection.close()
    assert any("pgqueuer_picked_heartbeat_idx" in statement for statement in await planned(dsn))
