"""A real PostgreSQL for the tests: a container if Docker is reachable, otherwise the embedded server."""

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
    """A server that can be stopped and started again at the same address."""

    @property
    def dsn(self) -> str: ...

    def start(self) -> str: ...

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None: ...


class ContainerPostgres:
    """The same image as in compose and Kubernetes. A fixed port keeps its address across restarts."""

    def __init__(self, port: int) -> None:
        from testcontainers.community.postgres import PostgresContainer
        from testcontainers.core.config import testcontainers_config

        # The reaper would be another image to pull. The fixture removes the container instead.
        testcontainers_config.ryuk_disabled = True
        image = yaml.safe_load(COMPOSE.read_text())["services"]["postgres"]["image"]
        password = secrets.token_urlsafe(16)
        self._container = PostgresContainer(image, driver=None, username="app", password=password, dbname="app")
        ports: dict[str, Any] = self._container.ports
        ports["5432/tcp"] = ("127.0.0.1", port)  # testcontainers' own method binds every interface
        self._started = False
        self.dsn = f"postgresql://app:{password}@127.0.0.1:{port}/app"

    def start(self) -> str:
        if self._started:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._started = True
        return self.dsn

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server. `fast` ends its sessions; `immediate` simulates a crash."""
        container = self._container.get_wrapped_container()
        if mode == "immediate":
            container.kill("SIGKILL")
        else:
            container.stop(timeout=20)

    def remove(self) -> None:
        """Remove the container and its data."""
        self._container.stop()


def docker_is_reachable() -> bool:
    """Whether the Docker daemon answers."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def embedded(path: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(path)


def run_sql(dsn: str, statement: str) -> list[asyncpg.Record]:
    """Run one statement on a new connection and return its rows. For synchronous tests."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(dsn)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    return asyncio.run(run())
