"""Migrations apply each revision once, one at a time. Readiness fails until they have run."""

import asyncio
import json
import subprocess

import asyncpg
import pytest

from app import schema
from app.migrations.lock import LOCK
from tests.integration.app.conftest import StartService
from tests.integration.app.migration import migrate, start_migration
from tests.integration.app.postgres import Postgres, run_sql
from tests.polling import poll_until

REVISIONS = sorted(path.name.split("_")[0] for path in schema.REVISIONS.glob("[0-9]*.py"))


def applied(output: str) -> list[str]:
    """The revisions that one run applied, from its log."""
    lines = [json.loads(line) for line in output.splitlines()]
    return [line["revision"] for line in lines if line["message"] == "revision_applied"]


def test_three_migrations_at_once_apply_each_revision_exactly_once(empty_database: str) -> None:
    runs = [start_migration(empty_database) for _ in range(3)]
    outputs = [run.communicate(timeout=60)[0] for run in runs]

    assert [run.returncode for run in runs] == [0, 0, 0], outputs
    assert sorted(revision for output in outputs for revision in applied(output)) == REVISIONS


async def test_a_migration_gives_up_when_another_holds_the_lock(empty_database: str) -> None:
    other = await asyncpg.connect(empty_database)
    await other.execute("SELECT pg_advisory_lock($1)", LOCK)
    run = await asyncio.to_thread(migrate, empty_database, MIGRATION_LOCK_SECONDS="1")
    await other.close()

    assert run.returncode == 1
    assert "another migration holds the lock" in run.stdout


@pytest.mark.slow
def test_a_migration_waits_for_the_database_to_start(empty_database: str, postgres: Postgres) -> None:
    postgres.stop()
    try:
        run = start_migration(empty_database)
        with pytest.raises(subprocess.TimeoutExpired):
            run.communicate(timeout=2)
    finally:
        postgres.start()
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 0, output
    assert applied(output) == REVISIONS


def test_a_migration_times_out_without_a_database() -> None:
    run = migrate("postgresql://app:app@127.0.0.1:9/app", MIGRATION_LOCK_SECONDS="1")
    assert run.returncode == 1
    assert "the database did not answer within 1 s" in run.stdout


def test_a_service_is_unready_until_the_migrations_have_run(empty_database: str, start: StartService) -> None:
    service = start(empty_database)
    service.wait_until_live()
    pid = service.pid
    ready = service.get("/health/ready")
    orders = service.get("/orders")
    assert ready is not None
    assert orders is not None
    assert (ready.status_code, orders.status_code) == (503, 503)
    assert ready.json()["checks"]["migrations"] == f"none applied, needs {REVISIONS[-1]}"

    assert migrate(empty_database).returncode == 0
    service.wait_until_ready(5)
    assert service.pid == pid
    assert service.running


def test_an_older_schema_makes_the_service_unready_and_a_newer_one_does_not(database: str, start: StartService) -> None:
    service = start(database)
    service.wait_until_ready()
    run_sql(database, "UPDATE alembic_version SET version_num = '0001'")
    poll_until(lambda: not service.is_ready(), "the service to notice the older schema")
    run_sql(database, "UPDATE alembic_version SET version_num = '9999'")
    service.wait_until_ready(5)
