"""`drydock smoke`, up to the judge: it is followed to its end, its account is shown, its losses are a failure."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drydock.core.console import Step
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project, TelemetryPlatform
from drydock.judge.plan import VARIABLE
from drydock.judge_client import account, smoke, start_delay
from drydock.judge_client.account import Account
from drydock.judge_client.process import JudgeContainer
from drydock.judge_client.progress_sample import ProgressSample
from drydock.judge_client.smoke import Load
from drydock.load import jobs
from drydock.requests import records
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.system import http

ROOT = Path(__file__).parents[3]
LOAD = Load(20, 60)


def record(outcome: Outcome = Outcome.OK, pod: str = "a") -> Record:
    return Record(1000.0, 1000.0, 0.01, "GET", "/products", 200, outcome, pod, "judge", "")


FINE = [record()] * 40
LOST = [*FINE, *[record(Outcome.RESET, "")] * 2, record(Outcome.SERVER_ERROR, "b")]


def sample(sent: int, late: int = 0, **outcomes: int) -> ProgressSample:
    return ProgressSample(1.0, sent, 20, {**dict.fromkeys(Outcome, 0), **outcomes}, late, 5.0, 0)


@dataclass
class Judge:
    """Sends nothing: it has these records. The first `interruptions` times that it is followed, Ctrl-C is pressed."""

    records: list[Record]
    interruptions: int = 0
    called: list[str] = field(default_factory=list)

    def start(self, progress: Step) -> None:
        self.called.append("start")

    def follow(self, on_sample: Callable[[ProgressSample], None]) -> None:
        self.called.append("follow")
        on_sample(sample(12, ok=12))
        if self.interruptions:
            self.interruptions -= 1
            raise KeyboardInterrupt

    def stop(self) -> None:
        self.called.append("stop")

    def collect(self, folder: Path) -> None:
        self.called.append("collect")
        rows = [records.COLUMNS, *(it.row() for it in self.records)]
        (folder / records.FILE).write_bytes(records.packed(rows))
        summary = {"seconds": 2.0, "late": 0, "late_over_ms": 20.0}
        (folder / start_delay.FILE).write_text(json.dumps(summary))

    def remove(self) -> None:
        self.called.append("remove")


@pytest.fixture
def project() -> Project:
    return Project.find(ROOT)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, project: Project) -> Callable[[Judge], None]:
    """Runs the smoke test with a judge."""
    monkeypatch.setattr(http, "status", lambda _: 200)

    def run(judge: Judge) -> None:
        monkeypatch.setattr(smoke, "on_compose", lambda *_: judge)
        smoke.run(project, TelemetryPlatform.COMPOSE, LOAD)

    return run


def test_the_account_is_shown_and_where_to_look(
    runs: Callable[[Judge], None], capsys: pytest.CaptureFixture[str]
) -> None:
    judge = Judge(FINE)

    runs(judge)

    said = capsys.readouterr()
    assert said.out.splitlines()[0] == "sent      40 of 1,200 in 2.0 s, 20.0 a second"
    assert "/search?service=judge" in said.err
    assert judge.called == ["start", "follow", "collect"]


def test_a_loss_is_a_failure_that_says_what_was_lost(runs: Callable[[Judge], None]) -> None:
    with pytest.raises(FailedError, match="3 of 43 requests were lost: 2 reset, 1 5xx") as failed:
        runs(Judge(LOST))

    assert failed.value.exit_code == 1


def test_ctrl_c_ends_the_sending_and_what_was_sent_is_accounted_for(
    runs: Callable[[Judge], None], capsys: pytest.CaptureFixture[str]
) -> None:
    judge = Judge(LOST, interruptions=1)

    with pytest.raises(KeyboardInterrupt):
        runs(judge)

    assert judge.called == ["start", "follow", "stop", "follow", "collect"]
    assert capsys.readouterr().out.splitlines()[-1] == "lost      3"


def test_a_second_ctrl_c_leaves_nothing_behind(runs: Callable[[Judge], None]) -> None:
    judge = Judge(FINE, interruptions=2)

    with pytest.raises(KeyboardInterrupt):
        runs(judge)

    assert judge.called[-1] == "remove"


def test_a_run_is_told_in_lines() -> None:
    sent = [record(), record(), record(Outcome.SERVER_ERROR, "b"), record(Outcome.RESET, "")]

    assert list(Account(4, 2.0, sent, late=0, late_ms=20).lines()) == [
        "sent      4 of 4 in 2.0 s, 2.0 a second",
        "outcomes  ok 2  reset 1  5xx 1",
        "latency   p50 10.0 ms, p95 10.0 ms, p99 10.0 ms, from the intended start, of the 3 answered",
        "pod       a answered 2 (67%)",
        "pod       b answered 1 (33%)",
        "lost      2",
    ]


def test_late_starts_and_lost_spans_are_told_too() -> None:
    lines = list(Account(200, 10.0, FINE, late=1, late_ms=20, lost_spans=7).lines())

    assert "late      1 started over 20 ms late: the judge does not keep up" in lines
    assert "spans     7 did not reach the collector" in lines
    assert lines[-1] == "lost      none"


@pytest.mark.parametrize(
    ("sent", "said"),
    [(100, "1 started over 20 ms late"), (99, "1 started over 20 ms late: the judge does not keep up")],
)
def test_a_judge_that_is_often_late_says_that_it_does_not_keep_up(sent: int, said: str) -> None:
    assert account.progress(sample(sent, late=1, ok=sent), planned=200).endswith(f"  {said}")


def test_it_says_how_far_it_is_and_what_was_lost_so_far() -> None:
    assert account.progress(sample(30, ok=29, closed_early=1), 50) == "30 of 50 sent  ok 29  closed_early 1"


def test_on_compose_it_goes_to_the_containers_port_with_the_plan_in_its_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[list[str]] = []
    monkeypatch.setattr(smoke, "output", built.append)

    judge = smoke.on_compose(project, LOAD)

    assert built[0][-2:] == ["--quiet", "judge"]
    assert (judge.plan.url, judge.plan.rate, judge.plan.seconds) == ("http://shop:8000", 20, 60)
    assert judge.plan.long_rate == 0
    assert f"--env={VARIABLE}" in judge.command
    assert judge.command[-1] == "judge"


def test_a_container_is_told_to_end_and_removed_by_its_name(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr("drydock.judge_client.process.succeeds", asked.append)
    program = "import json, os; print(json.dumps({'began': 1, 'plan': os.environ['JUDGE_PLAN'][:1]}))"
    plan = smoke.plan_of(project, "http://shop:8000", LOAD)
    judge = JudgeContainer(plan, command=[sys.executable, "-c", program], name="drydock-judge")

    judge.start(Step("judge"))
    judge.stop()
    judge.remove()

    remove = ["docker", "rm", "--force", "drydock-judge"]
    assert asked == [remove, ["docker", "kill", "--signal", "TERM", "drydock-judge"], remove]


@pytest.mark.parametrize(
    ("platform", "remedy"),
    [
        (TelemetryPlatform.KIND, "Start it: drydock up"),
        (TelemetryPlatform.COMPOSE, "Start it: docker compose up --wait"),
    ],
)
def test_a_service_that_is_not_ready_is_said_before_anything_is_built(
    platform: TelemetryPlatform, remedy: str, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    monkeypatch.setattr(http, "status", lambda _: 503)

    with pytest.raises(CannotRunError, match="is not ready at") as refused:
        smoke.run(project, platform, Load(20, 60))

    assert refused.value.remedy == remedy


def test_only_pages_that_answer_are_named(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    pages = project.configuration.telemetry.kind
    monkeypatch.setattr(http, "status", lambda url: None if url == pages.jaeger else 302)

    grafana, prometheus = smoke.where_to_look(pages)

    assert grafana.startswith(f"{pages.grafana}/d/service ")
    assert prometheus.startswith(f"{pages.prometheus}/query?g0.expr=sum%20by")


def test_the_job_gets_the_image_the_plan_and_the_time_for_it() -> None:
    env = [{"name": "JUDGE_PLAN", "value": "{}"}, {"name": "JUDGE_METRICS_PORT", "value": "8000"}]
    container: dict[str, Any] = {"name": "judge", "image": "drydock/instrument:local", "env": env}
    spec = {"activeDeadlineSeconds": 180, "template": {"spec": {"containers": [container]}}}
    job: dict[str, Any] = {"kind": "Job", "spec": spec}

    jobs.adjust([{"kind": "Namespace"}, job], "localhost:5001/drydock/instrument:1", {"JUDGE_PLAN": "a plan"}, 600)

    assert container["image"] == "localhost:5001/drydock/instrument:1"
    assert {item["name"]: item["value"] for item in container["env"]} == {
        "JUDGE_PLAN": "a plan",
        "JUDGE_METRICS_PORT": "8000",
    }
    assert job["spec"]["activeDeadlineSeconds"] > 600


PULLING = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
STARTING = {"state": {"waiting": {"reason": "ContainerCreating"}}}
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "message": "Insufficient cpu."}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"containerStatuses": [PULLING]}, "ImagePullBackOff no such image"),
        ({"containerStatuses": [STARTING]}, "starting"),
        ({"conditions": [UNSCHEDULABLE]}, "Insufficient cpu."),
        ({}, "starting"),
    ],
)
def test_a_pod_that_does_not_start_says_why(status: dict[str, Any], said: str) -> None:
    assert jobs.waits_for(status) == said
