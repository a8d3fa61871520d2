"""A real PostgreSQL for the tests: a container where Docker is reachable, the embedded server otherwise."""

import asyncio
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any, Literal, Protocol

import asyncpg
import yaml

from drydock.local.postgres import EmbeddedPostgres

COMPOSE = Path(__file__).parents[3] / "compose.yaml"


class Postgres(Protocol):
    """A server that can be taken away and brought back under the same address."""

    @property
    def dsn(self) -> str: ...

    def start(self) -> str: ...

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None: ...


class ContainerPostgres:
    """The image that compose and Kubernetes run. Its port is fixed, so that it survives a restart."""

    def __init__(self, port: int) -> None:
        from testcontainers.community.postgres import PostgresContainer
        from testcontainers.core.config import testcontainers_config

        # Its reaper is one more image to pull; the fixture removes the container.
        testcontainers_config.ryuk_disabled = True
        image = yaml.safe_load(COMPOSE.read_text())["services"]["postgres"]["image"]
        password = secrets.token_urlsafe(16)
        self._container = PostgresContainer(image, driver=None, username="app", password=password, dbname="app")
        ports: dict[str, Any] = self._container.ports
        ports["5432/tcp"] = ("127.0.0.1", port)  # its own method would listen on every interface
        self._started = False
        self.dsn = f"postgresql://app:{password}@127.0.0.1:{port}/app"

    def start(self) -> str:
        """Start it for the first time, or again."""
        if self._started:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._started = True
        return self.dsn

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server: `fast` ends its sessions, `immediate` is a crash."""
        container = self._container.get_wrapped_container()
        if mode == "immediate":
            container.kill("SIGKILL")
        else:
            container.stop(timeout=20)

    def remove(self) -> None:
        """Remove the container and its data."""
        self._container.stop()


def docker_is_reachable() -> bool:
    """Whether a container engine answers."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def embedded(path: Path) -> EmbeddedPostgres:
    """The server that needs no Docker."""
    return EmbeddedPostgres(path)


def run_sql(dsn: str, statement: str) -> list[asyncpg.Record]:
    """Run one statement on a connection of its own and return its rows. For tests that are not coroutines."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(dsn)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    return asyncio.run(run())
