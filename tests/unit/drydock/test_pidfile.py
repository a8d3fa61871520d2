import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from drydock.system.pidfile import PidFile, terminate

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
# Ignores SIGTERM, and says so when it does.
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)",
]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEPER)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def pid_file(tmp_path: Path) -> PidFile:
    return PidFile(tmp_path / "state" / "service.json")


def test_a_remembered_process_is_found_and_stopped(pid_file: PidFile, sleeper: subprocess.Popen[bytes]) -> None:
    pid_file.write(sleeper.pid)

    found = pid_file.process()

    assert found is not None
    assert found.pid == sleeper.pid
    assert pid_file.stop(seconds=5)
    assert pid_file.process() is None
    assert not pid_file.path.exists()


def test_a_recycled_pid_is_never_killed(pid_file: PidFile, sleeper: subprocess.Popen[bytes]) -> None:
    pid_file.write(sleeper.pid)
    remembered = json.loads(pid_file.path.read_text())
    pid_file.path.write_text(json.dumps({**remembered, "started": remembered["started"] - 3600}))

    assert pid_file.process() is None
    assert not pid_file.stop(seconds=5)
    assert sleeper.poll() is None, "a stranger that has the remembered pid was killed"


@pytest.mark.parametrize("content", ["", "not json", "{}", '{"pid": 1}', '{"pid": "x", "started": 0}', "[]"])
def test_a_damaged_file_means_no_process(pid_file: PidFile, content: str) -> None:
    pid_file.path.parent.mkdir()
    pid_file.path.write_text(content)

    assert pid_file.process() is None


def test_without_a_file_there_is_nothing_to_stop(pid_file: PidFile) -> None:
    assert not pid_file.stop(seconds=1)


def test_a_process_that_ignores_sigterm_is_killed(pid_file: PidFile) -> None:
    with subprocess.Popen(STUBBORN, stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        pid_file.write(stubborn.pid)

        assert pid_file.stop(seconds=0.1)


def test_of_several_processes_only_those_that_ignore_the_signal_are_killed(sleeper: subprocess.Popen[bytes]) -> None:
    with subprocess.Popen(STUBBORN, stdout=subprocess.PIPE) as stubborn, subprocess.Popen(SLEEPER) as ended:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        processes = [psutil.Process(it.pid) for it in (ended, stubborn, sleeper)]
        ended.kill()
        ended.wait()

        terminate(processes, seconds=0.5)

    assert stubborn.returncode == -signal.SIGKILL
    assert sleeper.wait(5) == -signal.SIGTERM
