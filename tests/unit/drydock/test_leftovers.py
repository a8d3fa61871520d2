"""The decisions about leftovers, on processes that only sleep; tests/integration has a real drill."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from drydock.core.errors import FailedError
from drydock.local import leftovers
from drydock.local.drill_record import DrillRecord, recorded

SLEEPS = "import time; print(flush=True); time.sleep(60)"
# PostgreSQL handles SIGINT itself. A child of a background job starts with SIGINT ignored.
ENDS_AT_SIGINT = f"import signal; signal.signal(signal.SIGINT, signal.SIG_DFL); {SLEEPS}"
IGNORES_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"

type Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process with a mark; ends it after the test."""
    started = []

    def begin(mark: Mapping[str, str], code: str = SLEEPS, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", code, *arguments]
        process = subprocess.Popen(command, env={**os.environ, **mark}, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def killed(state: Path, parent: Path, name: str = "drydock-1") -> DrillRecord:
    """The record and the folder of a drill that was killed: nobody holds the lock."""
    record = DrillRecord(state / "drills" / name, 4711, parent)
    record.path.parent.mkdir(parents=True, exist_ok=True)
    record.path.write_text(json.dumps({"pid": record.pid, "parent": str(parent)}))
    record.folder.mkdir()
    return record


def test_a_killed_drill_is_found_with_its_process_and_folder_and_both_are_ended(tmp_path: Path, start: Start) -> None:
    record = killed(tmp_path / "state", tmp_path)
    process = start(record.mark)

    [found] = leftovers.find(tmp_path / "state")
    names = found.names

    assert f"(process {process.pid})" in str(found)
    assert str(record.folder) in str(found)
    assert process.poll() is None, "looking ends nothing"
    assert list(leftovers.end(tmp_path / "state")) == names
    assert process.wait(5) == -15
    assert not record.folder.exists()
    assert not record.path.exists()
    assert not leftovers.find(tmp_path / "state")


def test_a_process_that_ignores_sigterm_is_killed(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "END_SECONDS", 0.1)
    process = start(killed(tmp_path, tmp_path).mark, IGNORES_SIGTERM)

    list(leftovers.end(tmp_path))

    assert process.wait(5) == -9


def test_a_running_drill_is_neither_found_nor_ended(tmp_path: Path, start: Start) -> None:
    with recorded(tmp_path) as record:
        process = start({})

        assert not leftovers.find(tmp_path)
        assert not list(leftovers.end(tmp_path))
        assert process.poll() is None
        assert record.folder.exists()
        assert record.running


def test_the_leftovers_of_another_checkout_are_not_touched(tmp_path: Path, start: Start) -> None:
    ours, theirs = killed(tmp_path / "ours", tmp_path, "drydock-1"), killed(tmp_path / "theirs", tmp_path, "drydock-2")
    process = start(theirs.mark)

    assert list(leftovers.end(tmp_path / "ours")) == [str(ours.folder)]
    assert process.poll() is None
    assert theirs.folder.exists()
    assert theirs.path.exists()


def test_a_folder_without_processes_is_left_and_deleted(tmp_path: Path) -> None:
    record = killed(tmp_path, tmp_path)

    assert [found.names for found in leftovers.find(tmp_path)] == [[str(record.folder)]]
    assert list(leftovers.end(tmp_path)) == [str(record.folder)]


def test_processes_without_the_folder_are_left_and_ended(tmp_path: Path, start: Start) -> None:
    record = killed(tmp_path, tmp_path)
    record.folder.rmdir()
    process = start(record.mark)

    [name] = leftovers.end(tmp_path)

    assert f"(process {process.pid})" in name
    assert process.wait(5)


def test_after_a_reboot_nothing_is_left_but_the_record_which_is_forgotten(tmp_path: Path) -> None:
    record = killed(tmp_path, tmp_path)
    record.folder.rmdir()

    assert not leftovers.find(tmp_path)
    assert not list(leftovers.end(tmp_path))
    assert not record.path.exists()


def test_a_process_of_a_longer_folder_name_is_a_stranger(tmp_path: Path, start: Start) -> None:
    record = killed(tmp_path, tmp_path)
    process = start({name: f"{folder}0" for name, folder in record.mark.items()})

    list(leftovers.end(tmp_path))

    assert process.poll() is None


def test_a_postgres_that_has_lost_its_mark_is_found_by_its_pid_file(tmp_path: Path, start: Start) -> None:
    record = killed(tmp_path, tmp_path)
    data = record.database / "data"
    data.mkdir(parents=True)
    server = start({}, ENDS_AT_SIGINT, str(data))
    (data / "postmaster.pid").write_text(f"{server.pid}\n")

    assert list(leftovers.end(tmp_path)) == [f"postgres (process {server.pid})", str(record.folder)]
    assert server.wait(5) == -2, "SIGINT is PostgreSQL's fast shutdown"


def test_a_postgres_pid_file_that_names_a_stranger_harms_no_one(tmp_path: Path, start: Start) -> None:
    record = killed(tmp_path, tmp_path)
    stranger = start({})
    (record.database / "data").mkdir(parents=True)
    (record.database / "data" / "postmaster.pid").write_text(f"{stranger.pid}\n")

    assert list(leftovers.end(tmp_path)) == [str(record.folder)]
    assert stranger.poll() is None


def test_what_does_not_end_is_named_and_stays_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = killed(tmp_path, tmp_path)
    monkeypatch.setattr("shutil.rmtree", lambda path, ignore_errors: None)

    with pytest.raises(FailedError, match=str(record.folder)) as failed:
        list(leftovers.end(tmp_path))

    assert "as the user who ran the drill" in failed.value.remedy
    assert record.path.exists()


def test_a_record_can_only_name_a_folder_of_its_own_name(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / "drills").mkdir()
    (tmp_path / "drills" / "drydock-1").write_text(json.dumps({"pid": 1, "parent": str(precious)}))

    list(leftovers.end(tmp_path))

    assert precious.exists()
