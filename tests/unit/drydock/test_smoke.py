"""`drydock smoke`, up to the load generator: its words are shown, its account is read, its load reaches it."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project, TelemetryPlatform
from drydock.load import jobs, smoke
from drydock.load.smoke import Load
from drydock.system import http

ROOT = Path(__file__).parents[3]
ACCOUNT = {"sent": 40, "lost": 0, "outcomes": {"ok": 40, "reset": 0, "5xx": 0}}
LOSSES = {"sent": 1200, "lost": 3, "outcomes": {"ok": 1197, "reset": 2, "5xx": 1}}


def saying(*lines: str) -> list[str]:
    """A command that prints these lines."""
    return [sys.executable, "-c", f"print({chr(10).join(lines)!r})"]


def unexpected() -> None:
    pytest.fail("it was stopped")


@pytest.fixture
def project() -> Project:
    return Project.find(ROOT)


def test_what_is_said_is_shown_and_the_account_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    account = smoke.follow(saying("sending", "lost none", json.dumps(ACCOUNT), ""), unexpected)

    assert account == ACCOUNT
    assert capsys.readouterr().out == "sending\nlost none\n\n"


@pytest.mark.parametrize("line", ["", "null", "12", '{"level": "info"}', "{"])
def test_without_an_account_it_could_not_run(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CannotRunError, match="see what it said above"):
        smoke.follow(saying("cannot run: no way", line), unexpected)

    assert "cannot run: no way" in capsys.readouterr().out


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """A process that was started in the background of a script ignores Ctrl-C, and so would a test in it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_stops_the_load_generator_and_shows_its_last_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = tmp_path / "stopped"
    # It presses Ctrl-C for us, as it is told when to go on.
    program = f"""
import os, pathlib, signal, time
print("sending", flush=True)
os.kill({os.getpid()}, signal.SIGINT)
deadline = time.monotonic() + 20
while not pathlib.Path({str(stopped)!r}).exists() and time.monotonic() < deadline:
    time.sleep(0.01)
print("sent 12 of 40")
"""
    with pytest.raises(KeyboardInterrupt):
        smoke.follow([sys.executable, "-c", program], stopped.touch)

    assert capsys.readouterr().out.splitlines()[-1] == "sent 12 of 40"


@pytest.mark.parametrize(("account", "error"), [(ACCOUNT, None), (LOSSES, FailedError)])
def test_a_loss_is_a_failure_that_says_what_was_lost(
    account: dict[str, Any], error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    monkeypatch.setattr(http, "status", lambda _: 200)
    monkeypatch.setattr(smoke, "_on_compose", lambda *_: account)

    if error is None:
        smoke.run(project, TelemetryPlatform.COMPOSE, Load(20, 60))
    else:
        with pytest.raises(error, match="3 of 1,200 requests were lost: 2 reset, 1 5xx"):
            smoke.run(project, TelemetryPlatform.COMPOSE, Load(20, 60))


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


def test_the_job_gets_the_image_the_load_and_the_time_for_it() -> None:
    env = [{"name": "TRAFFIC_URL", "value": "http://shop.shop"}, {"name": "TRAFFIC_RATE", "value": "20"}]
    container: dict[str, Any] = {"name": "traffic", "image": "drydock/instrument:local", "env": env}
    spec = {"activeDeadlineSeconds": 180, "template": {"spec": {"containers": [container]}}}
    job: dict[str, Any] = {"kind": "Job", "spec": spec}
    load = Load(rate=7.5, seconds=600)

    jobs.adjust([{"kind": "Namespace"}, job], "localhost:5001/drydock/instrument:1", load.environment, load.seconds)

    assert container["image"] == "localhost:5001/drydock/instrument:1"
    assert {item["name"]: item["value"] for item in container["env"]} == {
        "TRAFFIC_URL": "http://shop.shop",
        "TRAFFIC_RATE": "7.5",
        "TRAFFIC_SECONDS": "600",
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
