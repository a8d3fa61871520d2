"""The migrations create the schema that the installed version of PgQueuer needs."""

import asyncio

import asyncpg
from pgqueuer.adapters.persistence.queries import Queries

from tests.integration.app.postgres import run_sql


def planned(dsn: str) -> tuple[str, ...]:
    """The statements with which the library would upgrade this database's schema."""

    async def plan() -> tuple[str, ...]:
        connection = await asyncpg.connect(dsn)
        try:
            return tuple((await Queries.from_asyncpg_connection(connection).plan_upgrade()).statements)
        finally:
            await connection.close()

    return asyncio.run(plan())


def test_the_schema_matches_the_library(database: str) -> None:
    assert planned(database) == (), "the installed pgqueuer needs a new revision with these statements"


def test_the_library_detects_a_missing_index(database: str) -> None:
    """The negative control."""
    run_sql(database, "DROP INDEX pgqueuer_picked_heartbeat_idx")
    assert any("pgqueuer_picked_heartbeat_idx" in statement for statement in planned(database))
