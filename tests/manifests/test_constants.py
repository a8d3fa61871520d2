"""Numbers that the tool has from the service, from its manifests or from its server are still theirs."""

from pathlib import Path
from typing import Any

import pytest
from uvicorn import Config

from drydock.core.project import Project
from drydock.drills.disruptions import block_loop
from drydock.manifests.objects import Object, find
from drydock.manifests.shutdown_budget import PROPAGATION_SECONDS
from drydock.requests.keep_alive import IDLE_SECONDS
from drydock.system.http import PROBE_SECONDS
from drydock.targets.target import ANSWER_SECONDS, ROLLOUT_SECONDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def deployment(parity: list[Object]) -> Any:
    return find(parity, "Deployment", "shop")["spec"]


@pytest.fixture
def container(deployment: Any) -> Any:
    return next(it for it in deployment["template"]["spec"]["containers"] if it["name"] == "shop")


def notices_within(probe: Any) -> int:
    """The seconds until the last of the failures that count: a period before the first, and its timeout after it."""
    seconds: int = probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"]
    return seconds


def test_load_generators_drop_an_idle_connection_before_the_server_does(container: Any) -> None:
    assert not any("keep-alive" in word for word in container.get("command", []) + container.get("args", []))
    assert Config("app.main:app").timeout_keep_alive > IDLE_SECONDS


def test_the_service_keeps_an_idle_connection_for_longer_than_the_idle_lane_pauses() -> None:
    """Otherwise every drill loses the requests that cross the server's FIN."""
    lines = (ROOT / "k8s/base/shop.env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    judge = Project.find(ROOT).configuration.judge
    assert judge.idle_lane
    assert float(variables["UVICORN_TIMEOUT_KEEP_ALIVE"]) > judge.idle_seconds


def test_we_wait_for_an_answer_as_long_as_the_probes_do(container: Any) -> None:
    assert {container[f"{kind}Probe"]["timeoutSeconds"] for kind in ("readiness", "liveness")} == {PROBE_SECONDS}
    assert ANSWER_SECONDS == PROBE_SECONDS


def test_a_blocked_pod_is_noticed_in_the_time_that_the_drill_allows(container: Any) -> None:
    shed = notices_within(container["readinessProbe"]) + PROPAGATION_SECONDS
    assert shed <= block_loop.SHED_SECONDS
    assert notices_within(container["livenessProbe"]) <= block_loop.NOTICE_SECONDS


def test_kubernetes_gives_up_on_a_rollout_before_a_drill_does(deployment: Any) -> None:
    grace = deployment["template"]["spec"]["terminationGracePeriodSeconds"]
    assert deployment["progressDeadlineSeconds"] + grace < ROLLOUT_SECONDS
