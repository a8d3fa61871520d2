"""Readiness checks of the database: it is reachable, and its schema is at least as new as this code."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg

from app.database import UNAVAILABLE
from app.settings import Settings

REVISIONS = Path(__file__).parent / "migrations" / "versions"


def head() -> str:
    """The newest revision in this code. File names start with the revision: 0001, 0002, …"""
    return max(path.name.split("_")[0] for path in REVISIONS.glob("[0-9]*.py"))


class SchemaProbe:
    """Readiness checks on a separate connection, so that an exhausted pool does not make every pod unready."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._head = head()

    async def database(self) -> str | None:
        """Fail while the database does not answer."""
        try:
            await self._ask("SELECT 1")
        except UNAVAILABLE as error:
            return f"unreachable: {type(error).__name__}"
        return None

    async def migrations(self) -> str | None:
        """Fail while the schema is older than this code. A newer one passes: old pods see it during a rollout."""
        try:
            revision = await self._ask("SELECT max(version_num) FROM alembic_version")
        except asyncpg.UndefinedTableError:
            revision = None
        except UNAVAILABLE as error:
            return f"unknown: {type(error).__name__}"
        if revision is None:
            return f"none applied, needs {self._head}"
        return None if revision >= self._head else f"at {revision}, needs {self._head}"

    def close(self) -> None:
        """Close the connection immediately."""
        if self._connection is not None:
            self._connection.terminate()

    async def _ask(self, query: str) -> Any:
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(
                    self._settings.dsn,
                    timeout=self._settings.readiness_seconds,
                    command_timeout=self._settings.readiness_seconds,
                    server_settings={"application_name": f"{self._settings.pod_name} readiness"},
                )
            return await self._connection.fetchval(query)
