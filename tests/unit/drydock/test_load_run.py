"""The start of a load run, against a test double of the cluster: its error has the reason."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drydock.cluster import guards
from drydock.core.console import Step
from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.load import jobs
from drydock.load import locust_run as runs
from drydock.load.locust_run import GAVE_UP, LoadRun

PROJECT = Project.find(Path(__file__))
RUNNING = {"metadata": {"name": "load-master-x"}, "status": {"phase": "Running"}}
PULLING = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
WAITING = {"metadata": {"name": "load-worker-x"}, "status": {"phase": "Pending", "containerStatuses": [PULLING]}}


@dataclass
class Cluster:
    """A test double of the cluster, with one namespace: returns its fields, and records the calls."""

    jobs: list[Any] = field(default_factory=list)
    pods: list[Any] = field(default_factory=list)
    log: str = ""
    called: list[tuple[str, ...]] = field(default_factory=list)

    def get(self, *arguments: str) -> Any:
        return {"items": self.jobs if _within(arguments)[0] == "jobs" else self.pods}

    def call(self, *arguments: str, stdin: str = "") -> str:
        self.called.append(_within(arguments))
        return self.log if self.called[-1][0] == "logs" else ""

    def apply(self, *_: str, stdin: str = "") -> None:
        self.called.append(("apply",))


def _within(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments of kubectl after the namespace of the load."""
    assert arguments[:2] == ("--namespace", jobs.NAMESPACE)
    return arguments[2:]


@dataclass
class Platform:
    cluster: Cluster
    project: Project = PROJECT


@pytest.fixture(autouse=True)
def all_other_preconditions_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "refuse_another_context", lambda _: None)
    monkeypatch.setattr(guards, "refuse_unready", lambda _: None)
    monkeypatch.setattr(jobs, "publish_image", lambda _: "built")
    monkeypatch.setattr(runs, "START_SECONDS", 0.0)


def start(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, workers: int = 2) -> str:
    """The reason for which it does not start."""
    platform: Any = Platform(cluster)
    platform.programs = {"kubectl": Path("kubectl")}
    monkeypatch.setattr(runs.images, "render", lambda *_: [])  # type: ignore[attr-defined]
    with pytest.raises(CannotRunError) as refused:
        LoadRun(platform, "steady", {}, workers).start(Step("load generator"))
    return refused.value.reason


def test_another_run_is_refused_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(jobs=[{"status": {"active": 1}}])
    assert start(cluster, monkeypatch) == "another load run is active"
    assert cluster.called == []


def test_the_reason_counts_the_connected_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(pods=[RUNNING], log=f'w_1 (index 0) reported as ready. 1\n{GAVE_UP}\n{{"ended": 1}}\n')
    assert start(cluster, monkeypatch) == "1 of 2 workers connected within 45 s"
    assert "delete" in cluster.called[-1], "the Jobs are deleted"


def test_the_reason_names_the_pod_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = start(Cluster(pods=[RUNNING, WAITING]), monkeypatch)
    assert "load-worker-x: ImagePullBackOff no such image" in reason


def test_a_run_without_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(Cluster(), monkeypatch, workers=0) == "0 workers cannot send requests"
