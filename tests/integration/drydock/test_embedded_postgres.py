"""The embedded PostgreSQL, for real: what the local platform and the service's own tests stand on."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest

from drydock.local.postgres import EmbeddedPostgres, stop_leftover


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "postgres", name="shop", settings={"max_connections": "20"}) as running:
        yield running


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_it_is_postgresql_18_with_our_database_and_settings(postgres: EmbeddedPostgres) -> None:
    assert str(await ask(postgres.dsn, "SHOW server_version")).startswith("18.")
    assert await ask(postgres.dsn, "SELECT current_database()") == "shop"
    assert await ask(postgres.dsn, "SHOW max_connections") == "20"
    assert await ask(postgres.dsn, "SELECT upper('\u00e4')") == "\u00c4", "the locale knows more than ASCII"


async def test_it_listens_on_the_loopback_interface_only_and_wants_the_password(postgres: EmbeddedPostgres) -> None:
    assert await ask(postgres.dsn, "SHOW listen_addresses") == "127.0.0.1"
    wrong = postgres.dsn.replace(urlsplit(postgres.dsn).password or "", "guess")

    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(wrong, "SELECT 1")
    assert stat.S_IMODE((postgres.path / "password").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_restart_keeps_the_address_and_what_was_committed(postgres: EmbeddedPostgres, mode: str) -> None:
    before = postgres.dsn
    await ask(before, "CREATE TABLE kept AS SELECT 1 AS value")

    assert postgres.restart("immediate" if mode == "immediate" else "fast") == before
    assert await ask(before, "SELECT value FROM kept") == 1


async def test_a_stopped_server_refuses_connections_and_stopping_it_again_is_harmless(
    postgres: EmbeddedPostgres,
) -> None:
    postgres.stop()
    postgres.stop()

    assert not postgres.running
    with pytest.raises(OSError, match="Connect call failed"):
        await ask(postgres.dsn, "SELECT 1")


async def test_a_second_run_finds_the_data_of_the_first(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as first:
        await ask(first.dsn, "CREATE TABLE kept AS SELECT 1 AS value")
    with EmbeddedPostgres(tmp_path) as second:
        assert await ask(second.dsn, "SELECT value FROM kept") == 1


async def test_a_creation_that_was_interrupted_is_done_again(tmp_path: Path) -> None:
    unfinished = tmp_path / "data.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18")

    with EmbeddedPostgres(tmp_path) as postgres:
        assert await ask(postgres.dsn, "SELECT 1") == 1


@pytest.fixture
def orphan(tmp_path: Path) -> psutil.Process:
    """A server on the files in `tmp_path` whose owner was killed."""
    owner = (
        "import pathlib, sys, time; from drydock.local.postgres import EmbeddedPostgres as E;"
        "E(pathlib.Path(sys.argv[1])).start(); print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", owner, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    return psutil.Process(int((tmp_path / "data" / "postmaster.pid").read_text().splitlines()[0]))


async def test_a_server_whose_owner_was_killed_is_replaced_by_the_next_start(
    tmp_path: Path, orphan: psutil.Process
) -> None:
    assert orphan.is_running()

    with EmbeddedPostgres(tmp_path) as postgres:
        assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
        assert await ask(postgres.dsn, "SELECT 1") == 1


def test_a_pid_file_that_names_a_stranger_harms_no_one(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")

    assert not stop_leftover(tmp_path)
