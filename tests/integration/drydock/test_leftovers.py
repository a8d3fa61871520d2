"""A local drill that is killed in the middle: named by `status` and `doctor`, ended by `down`."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from drydock.core.project import Project
from drydock.local.drill_record import DrillRecord, records
from tests.integration.drydock import without_docker
from tests.integration.drydock.sample_checkout import sample_checkout
from tests.polling import poll_until

pytestmark = pytest.mark.slow

# The drill sends for a minute before it acts, so it is in the middle during each test.
LONG = {"rate = 210": "rate = 40", "steady_seconds = 10": "steady_seconds = 60"}
START_SECONDS = 120


@dataclass
class RunningDrill:
    """`drydock drill delete-pod --platform local` in a checkout, and what it has started."""

    project: Project
    process: subprocess.Popen[bytes]
    started: list[psutil.Process]

    @property
    def record(self) -> DrillRecord:
        [record] = records(self.project.state)
        return record

    @property
    def alive(self) -> list[psutil.Process]:
        """What it has started, and still runs."""
        return [it for it in self.started if it.is_running() and it.status() != psutil.STATUS_ZOMBIE]


def drydock(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a checkout to its end."""
    return without_docker.drydock(project.root, *arguments, seconds=90)


def commands(processes: list[psutil.Process]) -> str:
    return "\n".join(" ".join(process.cmdline()) for process in processes)


@pytest.fixture
def drill(tmp_path: Path) -> Iterator[RunningDrill]:
    """A drill whose judge sends."""
    project = sample_checkout(tmp_path / "checkout", LONG)
    command = [sys.executable, "-m", "drydock", "drill", "delete-pod", "--platform", "local"]
    output = (tmp_path / "output").open("w+")
    environment = without_docker.ENVIRONMENT
    with output, subprocess.Popen(command, cwd=project.root, env=environment, stdout=output, stderr=output) as process:
        children = psutil.Process(process.pid).children

        def sending() -> list[psutil.Process] | None:
            shown = (tmp_path / "output").read_text()
            assert process.poll() is None, shown
            return children(recursive=True) if "steady state" in shown else None

        started: list[psutil.Process] = []
        try:
            started = poll_until(sending, "the steady state", START_SECONDS)
            yield RunningDrill(project, process, started)
        finally:
            started = started or children(recursive=True)
            process.kill()
            for left in started:
                if left.is_running():
                    left.kill()


def test_what_a_killed_drill_leaves_is_named_and_ended_by_down(drill: RunningDrill, tmp_path: Path) -> None:
    record = drill.record
    drill.process.kill()
    drill.process.wait()
    left = commands(drill.alive)
    assert "postgres" in left
    assert left.count("uvicorn") == 2
    assert record.folder.exists()

    status = drydock(drill.project, "status")
    assert status.returncode == 1
    doctor = drydock(drill.project, "doctor")
    for shown in (status.stdout, doctor.stdout):
        unwrapped = "".join(shown.split())  # the table breaks lines at any place
        for named in (f"process{drill.process.pid}", str(record.folder), "uvicorn", "postgres", "drydockdown"):
            assert named in unwrapped, f"{named} is missing in:\n{shown}"

    other = drydock(sample_checkout(tmp_path / "other", {}), "down")
    assert "Nothing was running" in other.stderr
    assert commands(drill.alive).count("uvicorn") == 2, "another checkout's `down` has ended them"

    down = drydock(drill.project, "down")
    assert down.returncode == 0, down.stderr
    assert str(record.folder) in down.stderr
    assert "leftovers of a killed drill" in down.stderr
    assert not drill.alive
    assert not record.folder.exists()

    assert "nothing is running" in drydock(drill.project, "status").stderr
    assert "Nothing was running" in drydock(drill.project, "down").stderr


def test_a_running_drill_is_shown_and_not_touched_by_down(drill: RunningDrill) -> None:
    record = drill.record
    before = psutil.Process(drill.process.pid).children()
    assert len(before) == 5, "PostgreSQL, router, judge, and two pods"

    status = drydock(drill.project, "status")
    assert status.returncode == 0, status.stdout
    assert f"process {drill.process.pid}" in status.stdout
    assert "drydock down" not in drydock(drill.project, "doctor").stdout
    assert "Nothing was running" in drydock(drill.project, "down").stderr
    everything = drydock(drill.project, "down", "--all")
    assert everything.returncode == 2
    assert f"kill -TERM {drill.process.pid}" in everything.stderr
    assert drill.process.poll() is None
    assert psutil.Process(drill.process.pid).children() == before

    drill.process.send_signal(signal.SIGTERM)
    assert drill.process.wait(60) == 130
    assert not drill.alive
    assert not record.folder.exists()
    assert not record.path.exists()
