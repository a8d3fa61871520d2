"""The SQL of the drill migrate against the real schema: each step runs, and nothing of it stays."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.drills.migration_files import MigrationFiles
from drydock.local.postgres import EmbeddedPostgres
from tests.integration.drydock.migrated_database import PROJECT, migrated, psql

FILES = MigrationFiles.read(PROJECT)
ORDERS = """
INSERT INTO orders (customer, idempotency_key, body_hash) SELECT 'guest', n::text, '' FROM generate_series(1, 1200) n;
"""
COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'orders' ORDER BY 1;"
CHECKS = "SELECT conname FROM pg_constraint WHERE conrelid = 'orders'::regclass ORDER BY 1;"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with migrated(tmp_path_factory.mktemp("postgres")) as running:
        psql(running, ORDERS)
        yield running


def schema(database: EmbeddedPostgres) -> str:
    return psql(database, COLUMNS + CHECKS)


def test_the_steps_run_in_the_order_of_their_names_and_end_with_the_schema_of_before(
    database: EmbeddedPostgres,
) -> None:
    before = schema(database)

    expand, fill, *others = FILES.steps
    psql(database, expand)
    assert "note" in schema(database).split()
    psql(database, fill)
    assert psql(database, "SELECT count(*) FROM orders WHERE note IS NULL;") == "0\n", "three batches fill every row"
    for step in others:
        psql(database, step)

    assert len(others) == 3
    assert schema(database) == before


@pytest.mark.parametrize("count", range(len(FILES.steps) + 1))
def test_clean_removes_what_an_interrupted_migration_has_left(database: EmbeddedPostgres, count: int) -> None:
    before = schema(database)
    for step in FILES.steps[:count]:
        psql(database, step)

    psql(database, FILES.clean)

    assert schema(database) == before


def test_the_negative_control_locks_the_table_and_is_cleaned_away(database: EmbeddedPostgres) -> None:
    before = schema(database)
    locks = "SELECT mode FROM pg_locks WHERE relation = 'orders'::regclass AND pid = pg_backend_pid()"
    assert "pg_sleep(10)" in FILES.locking
    output = psql(database, FILES.locking.replace("pg_sleep(10)", f"({locks} AND mode = 'AccessExclusiveLock')"))

    assert output == "AccessExclusiveLock\n"
    psql(database, FILES.clean)
    assert schema(database) == before


def project(folder: Path, text: str) -> Project:
    (folder / "drydock.toml").write_text(text)
    return Project.find(folder)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    shutil.copytree(PROJECT.root / "drills", tmp_path / "drills")
    (tmp_path / "drills" / "migrate" / "clean.sql").unlink()

    with pytest.raises(CannotRunError, match=r"there is no .*clean\.sql"):
        MigrationFiles.read(project(tmp_path, (PROJECT.root / "drydock.toml").read_text()))


def test_a_project_without_a_migration_is_told_how_to_name_one(tmp_path: Path) -> None:
    lines = (PROJECT.root / "drydock.toml").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("migrations = "))

    with pytest.raises(CannotRunError) as refused:
        MigrationFiles.read(project(tmp_path, text))

    assert "migrations" in refused.value.remedy
