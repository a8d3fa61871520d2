"""The queue's schema in the migrations is the one that PgQueuer's library needs."""

import asyncio

import asyncpg
from pgqueuer.adapters.persistence.queries import Queries

from tests.integration.app.postgres import run_sql


def planned(dsn: str) -> tuple[str, ...]:
    """What the library would do to bring this database's schema to its own."""

    async def plan() -> tuple[str, ...]:
        connection = await asyncpg.connect(dsn)
        try:
            return tuple((await Queries.from_asyncpg_connection(connection).plan_upgrade()).statements)
        finally:
            await connection.close()

    return asyncio.run(plan())


def test_the_library_finds_the_schema_that_it_needs(database: str) -> None:
    assert planned(database) == (), "a new version of pgqueuer needs a revision with these statements"


def test_the_library_finds_out_what_is_missing(database: str) -> None:
    """The negative control."""
    run_sql(database, "DROP INDEX pgqueuer_picked_heartbeat_idx")
    assert any("pgqueuer_picked_heartbeat_idx" in statement for statement in planned(database))
