"""One PostgreSQL server per session, one database per test, and services that use it."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterator

import httpx2
import pytest

from tests.integration.app.migration import migrate
from tests.integration.app.postgres import ContainerPostgres, Postgres, docker_is_reachable, embedded, run_sql
from tests.integration.app.service import Service, free_port, running

StartService = Callable[..., Service]
CreateDatabase = Callable[..., str]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The server. A test that stops it starts it again."""
    if docker_is_reachable():
        container = ContainerPostgres(free_port())
        try:
            container.start()
            yield container
        finally:
            container.remove()
    else:
        server = embedded(tmp_path_factory.mktemp("postgres"))
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def create_database(postgres: Postgres) -> CreateDatabase:
    """Create a database, empty or from a template, and return its address."""
    numbers = itertools.count(1)

    def create(template: str = "template0") -> str:
        name = f"test_{next(numbers)}"
        run_sql(postgres.dsn, f"CREATE DATABASE {name} TEMPLATE {template}")
        return postgres.dsn.rsplit("/", 1)[0] + f"/{name}"

    return create


@pytest.fixture(scope="session")
def migrated(create_database: CreateDatabase) -> str:
    """The name of a template database at the newest revision."""
    dsn = create_database()
    migration = migrate(dsn)
    assert migration.returncode == 0, migration.stdout
    return dsn.rsplit("/", 1)[1]


@pytest.fixture
def empty_database(create_database: CreateDatabase) -> str:
    """The address of a database without a schema."""
    return create_database()


@pytest.fixture
def database(create_database: CreateDatabase, migrated: str) -> str:
    """The address of a database at the newest revision."""
    return create_database(migrated)


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[StartService]:
    """Start services with `start(dsn, mode="plain", **environment)`. Teardown kills them."""
    with contextlib.ExitStack() as stack:

        def start_service(dsn: str, mode: str = "plain", **environment: str) -> Service:
            return stack.enter_context(running({"DATABASE_URL": dsn, "DRAIN_SECONDS": "1", **environment}, mode))

        yield start_service


@pytest.fixture
def shop(database: str, start: StartService) -> Service:
    """A ready service with its own database."""
    service = start(database)
    service.wait_until_ready()
    return service


@pytest.fixture
async def client(shop: Service) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=shop.url, timeout=30) as client:
        yield client
