"""The local target: real processes behind a real router, moved as a cluster moves pods; and drills on it."""

import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from drydock.analysis.causes import Cause
from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.drills import experiment
from drydock.drills.disruption import OWN_CONTROL, Disruption
from drydock.drills.disruptions.bad_release import BadRelease
from drydock.drills.disruptions.delete_pod import DeletePod
from drydock.drills.disruptions.drain_node import DrainNode
from drydock.drills.disruptions.kill_hard import KillHard
from drydock.manifests import patches
from drydock.runs.folder import RunFolder
from drydock.runs.verdict import Check, Verdict
from drydock.targets.local import LocalTarget
from drydock.timeline.history import History
from tests.integration.drydock.sample_checkout import ROOT, sample_checkout
from tests.lifecycle import SHUTDOWN
from tests.polling import poll_until

PROJECT = Project.find(ROOT)
# A machine that runs other tests beside this one makes statements wait.
VARIABLES = {"DRAIN_SECONDS": "1", "GRACEFUL_SECONDS": "4", "DATABASE_ACQUIRE_SECONDS": "8"}
# The same steps as in the manifest, each shorter; the router needs 1 s until it sends nothing more.
QUICK = {
    "spec": {
        "template": {
            "spec": {
                "terminationGracePeriodSeconds": 12,
                "containers": [
                    {
                        "name": "shop",
                        "lifecycle": {"preStop": {"sleep": {"seconds": 2}}},
                        "env": [{"name": name, "value": value} for name, value in VARIABLES.items()],
                        "startupProbe": {"periodSeconds": 1},
                        "readinessProbe": {"periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 2},
                        "livenessProbe": {"periodSeconds": 2, "timeoutSeconds": 1, "failureThreshold": 3},
                    }
                ],
            }
        }
    }
}


@pytest.fixture(scope="module")
def target() -> Iterator[LocalTarget]:
    target = LocalTarget(PROJECT, QUICK)
    with target.opened():
        yield target


@pytest.fixture(autouse=True)
def all_pods_restored(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test on the shared target did is over before the next one begins."""
    yield
    if "target" in request.fixturenames:
        shared: LocalTarget = request.getfixturevalue("target")
        shared.restore()


def ended(target: LocalTarget, pod: str) -> dict[str, Any]:
    """How a pod's process ended, once it is gone."""
    poll_until(lambda: gone(target, pod), f"{pod} to be gone", 20)
    states = [seen.state for seen in target.recorder.history.of("Pod") if seen.name == pod]
    end: dict[str, Any] = states[-1]["ended"]
    return end


def gone(target: LocalTarget, pod: str) -> bool:
    return any(seen.name == pod and seen.change == "removed" for seen in target.recorder.history.of("Pod"))


def endpoints(history: History) -> frozenset[str]:
    return history.endpoints("shop")[-1][1]


def test_a_deleted_pod_leaves_the_service_first_then_drains_and_ends_by_itself(target: LocalTarget) -> None:
    pod = target.ready_pods()[0]

    target.delete_pod(pod)

    end = ended(target, pod)
    assert end["exit_code"] in (0, 128 + signal.SIGTERM)
    events = [seen.state["event"] for seen in target.recorder.history.lifecycle(pod)]
    assert [event for event in events if event in SHUTDOWN] == SHUTDOWN
    out = next(time for time, pods in target.recorder.history.endpoints("shop") if pod not in pods and time > 0)
    assert pod not in endpoints(target.recorder.history)
    assert out < next(
        seen.arrived for seen in target.recorder.history.of("Log") if seen.uid.startswith(f"{pod}/draining")
    )
    assert target.wait_for_rollout(20), "another one comes in its place"


@pytest.mark.slow
def test_a_pod_that_does_not_end_in_its_grace_period_is_killed(target: LocalTarget) -> None:
    target.apply({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 2}}}})
    assert target.wait_for_rollout(40)
    pod = target.ready_pods()[0]

    target.delete_pod(pod)

    assert ended(target, pod)["exit_code"] == 128 + signal.SIGKILL


def test_a_killed_process_is_started_again_in_the_same_pod(target: LocalTarget) -> None:
    pod = target.ready_pods()[0]

    target.kill(pod)

    poll_until(lambda: target.recorder.history.container_restarts("shop", pod) == 1, "the restart", 20)
    assert target.wait_for_rollout(20)
    assert pod in target.ready_pods()


@pytest.mark.slow
def test_a_blocked_pod_is_taken_out_before_it_is_restarted(target: LocalTarget) -> None:
    target.apply(patches.variant(PROJECT, "faults"))
    assert target.wait_for_rollout(40)
    pod = target.ready_pods()[0]

    assert target.request(pod, "POST", "/faults/block-loop", {"seconds": 30}) == 0, "it does not answer"

    poll_until(lambda: pod not in target.ready_pods(), "readiness to take it out", 10)
    assert not [seen for seen in target.recorder.history.of("Event") if seen.state["about"] == f"Pod/{pod}"]
    poll_until(lambda: target.recorder.history.container_restarts("shop", pod) == 1, "liveness to restart it", 40)


@pytest.mark.slow
def test_a_release_that_never_becomes_ready_takes_no_traffic_and_is_undone(target: LocalTarget) -> None:
    before = target.ready_pods()

    target.apply(patches.variant(PROJECT, "unreachable-database"))

    poll_until(
        lambda: len({seen.name for seen in target.recorder.history.of("Pod")} - set(before)) > 0, "the new pod", 10
    )
    assert not target.wait_for_rollout(4)
    assert target.ready_pods() == before
    target.undo()
    assert target.wait_for_rollout(20)
    assert target.ready_pods() == before


@pytest.mark.slow
def test_a_rollout_never_has_fewer_pods_ready_than_wanted(target: LocalTarget) -> None:
    before = set(target.ready_pods())
    began = target.recorder.history.endpoints("shop")[-1][0]

    target.restart()

    assert target.wait_for_rollout(40)
    assert not before & set(target.ready_pods())
    fewest = min(len(pods) for time, pods in target.recorder.history.endpoints("shop") if time > began)
    assert fewest >= 2


def test_without_a_ready_pod_connections_are_refused(target: LocalTarget) -> None:
    target.hold(0)

    poll_until(lambda: not _connects(target), "the router to refuse", 15)


def _connects(target: LocalTarget) -> bool:
    port = int(target.judge(1, 1).plan.url.rpartition(":")[2])
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except ConnectionRefusedError:
        return False
    return True


def test_the_database_stops_and_starts_and_answers(target: LocalTarget) -> None:
    target.stop_database()
    target.start_database()

    assert target.sql("SELECT 1 + 1;\n") == "2\n"


# Drills on it, end to end: the engine, the judge, the account and the page are those of kind.


QUICKER = {
    "rate = 210": "rate = 40",
    "least_requests = 10_000": "least_requests = 400",
    "steady_seconds = 10": "steady_seconds = 2",
    "long_seconds = 8": "long_seconds = 3",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A checkout of its own, for its runs/, with drills that take seconds."""
    return sample_checkout(tmp_path, QUICKER)


def drilled(
    project: Project, kind: type[Disruption[Any]], against: str | None = None
) -> tuple[Verdict, RunFolder, Any]:
    drill = kind(project.configuration.drills.disruptions, against)
    verdict, folder = experiment.run(drill, LocalTarget(project, QUICK))
    assert drill.analysis is not None
    return verdict, folder, drill.analysis


@pytest.mark.slow
def test_the_drill_delete_pod_passes_and_leaves_its_folder_and_no_process(project: Project) -> None:
    verdict, folder, analysis = drilled(project, DeletePod)

    assert not failed(verdict)
    assert len(analysis.evidence.records) >= 400
    assert {path.name for path in folder.folder.iterdir()} == {
        *("configuration.json", "timeline.json", "verdict.json", "junit.xml", "report.html"),
        *("analysis.json", "judge.json", "requests.csv.gz"),
    }
    assert "says nothing about Kubernetes" in folder.path("report.html").read_text()
    [termination] = [it for it in analysis.terminations if not it.restarted]
    assert {"deleted", "endpoint_out", "sigterm", "drained", "stopped", "ended", "gone"} <= termination.marks.keys()
    assert not pods_of(project)


def pods_of(project: Project) -> list[psutil.Process]:
    """The processes of the service of this checkout."""
    return [it for it in psutil.Process().children(recursive=True) if it.cwd() == str(project.root)]


def failed(verdict: Verdict) -> list[Check]:
    """What does not hold of the service: the judge's own clock is another matter where tests run side by side."""
    return [check for check in verdict.failed if check.name != "the judge kept up"]


@pytest.mark.slow
def test_its_negative_control_fails_and_the_cause_is_named(project: Project) -> None:
    verdict, _, analysis = drilled(project, DeletePod, OWN_CONTROL)

    assert [check.name for check in failed(verdict)] == ["requests lost"]
    assert analysis.causes.keys() & {Cause.CLOSED_LISTENER, Cause.REFUSED_AFTER_REMOVAL, Cause.RESET_ON_KEPT_ALIVE}


@pytest.mark.slow
def test_the_drill_kill_hard_states_its_losses(project: Project) -> None:
    verdict, _, analysis = drilled(project, KillHard)

    assert not failed(verdict)
    promised = KillHard(project.configuration.drills.disruptions).objectives.lost
    assert promised == 60, "3 s of half of 40 requests a second"
    assert 0 < verdict.figures["lost"] <= promised
    assert {loss.cause for loss in analysis.losses} <= {Cause.CUT_IN_FLIGHT, Cause.PROCESS_DEAD, Cause.CLOSED_LISTENER}


@pytest.mark.slow
def test_the_drill_bad_release_passes_and_fails_against_readiness_that_lies(project: Project) -> None:
    assert not failed(drilled(project, BadRelease)[0])
    verdict, _, analysis = drilled(project, BadRelease, OWN_CONTROL)
    assert failed(verdict)
    assert Counter(loss.cause for loss in analysis.losses)


def test_a_drill_that_needs_a_cluster_says_where_it_runs(project: Project) -> None:
    with pytest.raises(CannotRunError, match="does not run on the platform local"):
        DrainNode(project.configuration.drills.disruptions).refuse(LocalTarget(project))  # type: ignore[arg-type]


def test_a_control_that_nobody_knows_is_refused_with_those_that_there_are(project: Project) -> None:
    drill = DeletePod(project.configuration.drills.disruptions, "no-such-thing")

    with pytest.raises(CannotRunError, match="no negative control 'no-such-thing'") as refused:
        drill.refuse(LocalTarget(project))

    assert "no-prestop" in refused.value.remedy
