"""The scaling drill on kind, with a working and with a paused autoscaler. The slowest test: 15 minutes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from drydock.analysis.scaling import marks
from drydock.runs.folder import RunFolder
from drydock.runs.verdict import FILE as VERDICT
from tests.e2e import cluster

SECONDS = 900
PAUSED = "autoscaling.keda.sh/paused-scale-out"
DRILL = cluster.PROJECT.configuration.drills.scale
MARKS = {
    *(marks.RATE_OVER, marks.VISIBLE, marks.DESIRED, marks.SCHEDULED, marks.STARTED, marks.READY, marks.SERVED),
    *(marks.ALL_READY, marks.LATENCY_BACK, marks.LOAD_OFF, marks.SCALE_IN, marks.AT_MINIMUM),
}


@pytest.fixture(scope="module")
def drilled(environment: None) -> tuple[subprocess.CompletedProcess[str], RunFolder]:
    """One complete run of the drill. On a busy machine the latency does not come back: then a second one."""
    first = drill()
    return drill() if was_busy(first[1]) else first


def was_busy(folder: RunFolder) -> bool:
    """Whether only the latency missed its objective: five pods share two cores with whatever else runs."""
    missed = [check for check in folder.read_json(VERDICT)["checks"] if not check["passed"]]
    return len(missed) == 1 and missed[0]["observed"].startswith("missing: p95 back")


def test_the_drill_passes(drilled: tuple[subprocess.CompletedProcess[str], RunFolder]) -> None:
    done, folder = drilled
    assert done.returncode == 0, done.stderr[-3000:]
    verdict = folder.read_json(VERDICT)
    assert verdict["passed"]
    assert verdict["kind"] == "drill"


def test_every_mark_of_the_clock_is_there_and_in_order(
    drilled: tuple[subprocess.CompletedProcess[str], RunFolder],
) -> None:
    figures = drilled[1].read_json(VERDICT)["figures"]
    print(json.dumps(figures, indent=1))
    assert {f"{mark}_s" for mark in MARKS} <= figures.keys()
    way = [figures[f"{mark}_s"] for mark in (marks.RATE_OVER, marks.VISIBLE, marks.DESIRED, marks.READY, marks.SERVED)]
    assert way == sorted(way), "a pod is wanted, then there, then used"
    assert figures[f"{marks.READY}_s"] <= DRILL.first_ready_seconds


def test_nothing_is_lost_and_the_audit_is_exact(drilled: tuple[subprocess.CompletedProcess[str], RunFolder]) -> None:
    folder = drilled[1]
    figures = folder.read_json(VERDICT)["figures"]
    sent = folder.records()
    assert figures["sent"] == len(sent) > 5_000
    assert figures["lost"] == 0
    assert figures["orders_acknowledged"] == figures["orders_in_database"] > 100
    assert [figures[name] for name in cluster.PROJECT.configuration.audit.violations] == [0, 0, 0]


def test_the_folder_says_it_all(drilled: tuple[subprocess.CompletedProcess[str], RunFolder]) -> None:
    folder = drilled[1]
    assert {path.name for path in folder.folder.iterdir()} >= {
        *("configuration.json", "verdict.json", "junit.xml", "timeline.json", "requests.csv.gz", "report.html")
    }


def test_what_the_drill_changed_is_put_back(drilled: tuple[subprocess.CompletedProcess[str], RunFolder]) -> None:
    container = cluster.get("deployment", cluster.WORKLOAD.deployment)["spec"]["template"]["spec"]["containers"][0]
    assert DRILL.faults_variable not in {variable["name"] for variable in container["env"]}
    assert {it["name"] for it in cluster.get("scaledobject", DRILL.scaled_object)["spec"]["triggers"]} >= {
        "cpu",
        "rate",
    }


@pytest.mark.nightly
def test_an_autoscaler_that_is_held_fails_the_drill_with_the_mark_that_is_missing() -> None:
    """The negative control: KEDA must not scale out, so the marks end before the desired replicas increase."""
    with held():
        done, folder = drill()

    assert done.returncode == 1, done.stderr[-3000:]
    verdict = folder.read_json(VERDICT)
    [complete] = [check for check in verdict["checks"] if check["name"] == "every mark is reached"]
    assert not complete["passed"]
    assert "the desired replicas rise (the desired replicas stayed at 2)" in complete["observed"]
    [enough] = [check for check in verdict["checks"] if check["name"] == "enough pods are ready under load"]
    assert enough["observed"] == "2"
    assert marks.VISIBLE + "_s" in verdict["figures"], "the autoscaler saw the load all the same"


def drill() -> tuple[subprocess.CompletedProcess[str], RunFolder]:
    """Run the drill's command. Returns the finished process and the run folder."""
    command = [sys.executable, "-m", "drydock", "drill", "scale"]
    root = cluster.PROJECT.root
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=SECONDS)
    print(done.stderr)
    return done, RunFolder.find(cluster.PROJECT, "scale")


@contextmanager
def held() -> Iterator[None]:
    """Pause KEDA's scale-out during the block."""
    name = f"scaledobject/{DRILL.scaled_object}"
    cluster.kubectl("annotate", name, f"{PAUSED}=true", "--overwrite")
    try:
        yield
    finally:
        cluster.kubectl("annotate", name, f"{PAUSED}-")
