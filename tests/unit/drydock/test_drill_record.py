import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from drydock.core.errors import CannotRunError
from drydock.local.drill_record import KEEP_ENVIRONMENT, VARIABLE, recorded, records, refuse_running

KILLED = """
import os, pathlib, signal, sys
from drydock.local.drill_record import recorded
with recorded(pathlib.Path(sys.argv[1])) as record:
    (record.folder / "file").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
STARTS_AND_STAYS = """
import pathlib, subprocess, sys, time
from drydock.local.drill_record import recorded
with recorded(pathlib.Path(sys.argv[1])) as record:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(child.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary_folders_are_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The children's too."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_the_record_of_a_running_drill_names_its_process_and_its_folder(tmp_path: Path) -> None:
    with recorded(tmp_path / "state") as record:
        assert records(tmp_path / "state") == [record]
        assert record.running
        assert record.pid == os.getpid()
        assert record.folder.parent == tmp_path
        assert stat.S_IMODE(record.folder.stat().st_mode) == 0o755, "Postgres may run as another user"


def test_two_that_look_at_a_killed_drill_do_not_take_each_other_for_the_drill(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "state")], check=False)
    [record] = records(tmp_path / "state")

    with record.path.open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not record.running


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_folder_record_and_mark_are_gone_after_every_end_of_the_block(
    tmp_path: Path, error: type[BaseException] | None
) -> None:
    def drill() -> None:
        with recorded(tmp_path / "state") as record:
            (record.folder / "file").touch()
            if error:
                raise error

    if error:
        with pytest.raises(error):
            drill()
    else:
        drill()

    assert not list((tmp_path / "state" / "drills").iterdir())
    assert not list(tmp_path.glob("drydock-*"))
    assert VARIABLE not in os.environ


def test_a_folder_that_something_else_has_deleted_is_no_error(tmp_path: Path) -> None:
    with recorded(tmp_path / "state") as record:
        record.folder.rmdir()

    assert not record.path.exists()


def test_a_folder_that_could_not_be_deleted_stays_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.rmtree", lambda path, ignore_errors: None)

    with recorded(tmp_path / "state") as record:
        pass

    assert records(tmp_path / "state") == [record]
    assert not record.running


def test_a_drill_inside_another_one_leaves_the_mark_of_the_outer_one(tmp_path: Path) -> None:
    with recorded(tmp_path / "state") as outer:
        with recorded(tmp_path / "state") as inner:
            assert outer.folder != inner.folder
            assert os.environ[VARIABLE] == str(inner.folder)
        assert os.environ[VARIABLE] == str(outer.folder)
        assert os.environ.keys() >= KEEP_ENVIRONMENT.keys()


def test_a_killed_drill_leaves_its_folder_and_a_record_without_a_lock(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "state")], check=False)

    assert killed.returncode == -signal.SIGKILL
    [record] = records(tmp_path / "state")
    assert not record.running
    assert (record.folder / "file").exists()


def test_a_process_that_outlives_the_drill_does_not_hold_its_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTS_AND_STAYS, str(tmp_path / "state")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as drill:
        assert drill.stdout is not None
        child = int(drill.stdout.readline())
        [record] = records(tmp_path / "state")
        assert record.running
        drill.kill()

    assert not record.running, "the child has inherited the lock"
    os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("content", ["", "not json", "{}", '{"pid": 1}', '{"pid": "x", "parent": "/"}', "[]"])
def test_a_damaged_record_is_no_record(tmp_path: Path, content: str) -> None:
    (tmp_path / "drills").mkdir()
    (tmp_path / "drills" / "drydock-1").write_text(content)

    assert records(tmp_path) == []


def test_a_record_that_was_removed_meanwhile_is_of_no_running_drill(tmp_path: Path) -> None:
    with recorded(tmp_path / "state") as record:
        pass

    assert not record.running


def test_a_checkout_without_drills_has_no_records(tmp_path: Path) -> None:
    assert records(tmp_path) == []
    refuse_running(tmp_path)


def test_a_running_drill_is_refused_with_its_process_and_a_killed_one_is_not(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "state")], check=False)
    refuse_running(tmp_path / "state")

    with recorded(tmp_path / "state"), pytest.raises(CannotRunError, match=f"process {os.getpid()}") as refused:
        refuse_running(tmp_path / "state")

    assert f"kill -TERM {os.getpid()}" in refused.value.remedy
