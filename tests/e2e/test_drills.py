"""Shutdown drills on kind: a deleted pod, a rollout, and a negative control."""

import subprocess
import sys
from typing import Any

import pytest

from drydock.analysis import disruption_analysis
from drydock.analysis.causes import Cause
from drydock.analysis.pod_terminations import LINES, MARKS
from drydock.judge_client import start_delay
from drydock.runs.folder import CONFIGURATION, RunFolder
from drydock.runs.verdict import FILE as VERDICT
from tests.e2e import cluster
from tests.e2e.cluster import FEWEST_PODS
from tests.lifecycle import SHUTDOWN

SECONDS = 400
ATTEMPTS = 3  # a busy machine may miss the steady state that a drill requires before its action
SETTINGS = cluster.PROJECT.configuration.drills.disruptions
DRAIN_SECONDS = 5  # k8s/base/shop.env
SHUTDOWN_MARKS = [LINES[event] for event in SHUTDOWN]
LANES = {"fresh", "kept", "long"}
CUT = {Cause.CUT_IN_FLIGHT, Cause.REFUSED_AFTER_REMOVAL, Cause.CLOSED_LISTENER, Cause.RESET_ON_KEPT_ALIVE}
# The checks of the service. On a busy machine other checks may fail: late requests, exhausted pool connections.
OURS = {"enough requests", "the service has recovered", "container restarts", "deleted pods exit without SIGKILL"}
OURS |= {"the shutdown fits the grace period"}
OURS |= {f"audit: {name.replace('_', ' ')}" for name in cluster.PROJECT.configuration.audit.violations}


def drill(*arguments: str) -> tuple[subprocess.CompletedProcess[str], RunFolder]:
    """Run the command of a drill. Returns the finished process and the run folder."""
    command = [sys.executable, "-m", "drydock", "drill", *arguments]
    root = cluster.PROJECT.root
    for _ in range(ATTEMPTS):
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=SECONDS)
        print(done.stderr)
        if "steady state does not hold" not in done.stderr:
            break
    assert done.returncode in (0, 1), done.stderr[-3000:]
    return done, RunFolder.all(cluster.PROJECT)[0]


@pytest.fixture(scope="module", params=["delete-pod", "rollout"])
def drilled(request: pytest.FixtureRequest, environment: None) -> RunFolder:
    """One complete run of each drill."""
    return drill(request.param)[1]


def passed(folder: RunFolder) -> dict[str, bool]:
    return {check["name"]: check["passed"] for check in folder.read_json(VERDICT)["checks"]}


def test_a_deleted_pod_ends_in_order_and_every_acknowledged_order_is_there(drilled: RunFolder) -> None:
    checks = passed(drilled)
    assert {name: checks[name] for name in OURS} == dict.fromkeys(OURS, True), drilled.read_json(VERDICT)


def test_nothing_is_cut_refused_or_reset(drilled: RunFolder) -> None:
    causes = drilled.read_json(disruption_analysis.FILE)["causes"]
    assert not CUT & causes.keys(), causes


def test_every_request_has_its_line_with_lane_connection_and_pod(drilled: RunFolder) -> None:
    sent = drilled.records()
    assert len(sent) == drilled.read_json(start_delay.FILE)["sent"] >= SETTINGS.least_requests
    assert {record.lane for record in sent} == LANES
    assert all(record.connection and record.pod for record in sent if not record.lost)
    kept = [(record.connection, record.position) for record in sent if record.lane == "kept"]
    assert len(set(kept)) == len(kept)


def test_every_pod_that_ends_does_so_in_order(drilled: RunFolder) -> None:
    ended = [it for it in drilled.read_json(disruption_analysis.FILE)["terminations"] if not it["restarted"]]
    assert len(ended) == (1 if drilled.name.endswith("delete-pod") else FEWEST_PODS)
    for termination in ended:
        marks = termination["marks"]
        assert marks.keys() == MARKS.keys()
        assert (termination["exit_code"], termination["reason"]) == (0, "Completed")
        assert marks["endpoint_out"] < marks["sigterm"]
        steps = [marks[name] for name in SHUTDOWN_MARKS]
        assert steps == sorted(steps), marks
        assert marks["drained"] - marks["sigterm"] == pytest.approx(DRAIN_SECONDS, abs=1), "the listener stays open"


def test_the_folder_says_it_all(drilled: RunFolder) -> None:
    assert {path.name for path in drilled.folder.iterdir()} == {
        *("configuration.json", "verdict.json", "junit.xml", "timeline.json", "requests.csv.gz", "report.html"),
        *("analysis.json", "judge.json"),
    }
    described: dict[str, Any] = drilled.read_json(CONFIGURATION)
    assert (described["mode"], described["platform"]) == ("parity", "kind")
    assert drilled.name.endswith(described["drill"])


def test_the_negative_control_of_a_rollout_fails_with_the_cause_and_is_put_back() -> None:
    before = cluster.get("deployment", cluster.WORKLOAD.deployment)["spec"]["template"]["spec"]

    done, folder = drill("rollout", "--against", "control")

    assert done.returncode == 1, done.stderr[-3000:]
    assert not passed(folder)["requests lost"]
    assert CUT & folder.read_json(disruption_analysis.FILE)["causes"].keys()
    assert cluster.get("deployment", cluster.WORKLOAD.deployment)["spec"]["template"]["spec"] == before
    annotations = cluster.get("scaledobject", "shop")["metadata"].get("annotations", {})
    assert cluster.PAUSED_AT not in annotations
