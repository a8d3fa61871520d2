"""However a drill ends, it restores the service. After SIGKILL, one command does."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from drydock.core.errors import CannotRunError
from drydock.targets.journal import NAME
from tests.e2e import cluster
from tests.polling import poll_until

DRILL_SECONDS = 120
RESTORE_SECONDS = 180
DATABASE = "postgres"


def state() -> dict[str, Any]:
    """Everything that the drills of these tests change."""
    deployment, scaler = cluster.get("deployment", cluster.WORKLOAD.deployment), cluster.get("scaledobject", "shop")
    return {
        "pod template": deployment["spec"]["template"]["spec"],
        "paused": scaler["metadata"].get("annotations", {}).get(cluster.PAUSED_AT),
        "database": cluster.get("statefulset", DATABASE)["spec"]["replicas"],
        "journal": cluster.kubectl("get", "configmap", NAME, "--ignore-not-found", "--output", "name"),
        "jobs": cluster.kubectl("get", "jobs", "--namespace", "load", "--output", "name"),
    }


def drydock(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "drydock", *arguments]
    root = cluster.PROJECT.root
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=RESTORE_SECONDS)


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A drill in a process group of its own, as a terminal starts it."""
    command = [sys.executable, "-m", "drydock", "drill", *arguments, "--rate=100"]
    with subprocess.Popen(
        command,
        cwd=cluster.PROJECT.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], condition: Callable[[], Any], what: str) -> None:
    """Waits for a condition while the drill runs. A drill that has ended fails the test with its output."""

    def met() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return bool(condition())

    poll_until(met, what, DRILL_SECONDS)


def weakened() -> bool:
    [container] = cluster.get("deployment", cluster.WORKLOAD.deployment)["spec"]["template"]["spec"]["containers"]
    return "lifecycle" not in container


def without_database() -> bool:
    return not cluster.get("statefulset", DATABASE)["status"].get("readyReplicas")


def test_a_killed_drill_is_named_refused_and_restored_by_one_command() -> None:
    before = state()
    with running("rollout", "--against", "control") as process:
        wait_for(process, weakened, "the negative control to be applied")
        process.kill()
        process.wait()
    assert state() != before

    status, doctor, another = drydock("status"), drydock("doctor"), drydock("drill", "delete-pod")
    restored, again = drydock("drill", "restore"), drydock("drill", "restore")

    assert status.returncode == 1
    for named in (status.stdout, doctor.stdout, another.stderr):
        assert "drydock drill restore" in named, named
    assert another.returncode == CannotRunError.exit_code
    assert restored.returncode == 0, restored.stderr
    assert state() == before
    assert "There is nothing to restore." in again.stderr


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param([signal.SIGINT, signal.SIGINT], id="Ctrl-C twice"),
        pytest.param([signal.SIGHUP], id="closed terminal", marks=pytest.mark.nightly),
        pytest.param([signal.SIGTERM], id="SIGTERM", marks=pytest.mark.nightly),
    ],
)
def test_a_drill_that_is_ended_starts_the_database_again(numbers: list[signal.Signals]) -> None:
    before = state()
    with running("db-outage") as process:
        wait_for(process, without_database, "the database to be stopped")
        for number in numbers:
            os.killpg(process.pid, number)
        output, _ = process.communicate(timeout=RESTORE_SECONDS)

    assert process.returncode not in (0, None), output
    assert state() == before, output


def test_a_second_drill_is_refused_while_one_runs() -> None:
    before = state()
    with running("delete-pod") as process:
        wait_for(process, lambda: state()["journal"], "the first drill to hold the service")
        second = drydock("drill", "rollout")
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=RESTORE_SECONDS)

    assert second.returncode == CannotRunError.exit_code
    assert f"process {process.pid}" in second.stderr
    assert state() == before
