"""Drydock never touches another cluster and never mistakes dev mode for parity mode."""

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from drydock.cluster.stack import TELEMETRY, Autoscaling, Mode, Part, Profile, Stack
from drydock.drills.drill_catalogue import DISRUPTIONS
from drydock.pinned import tools
from tests.e2e import cluster
from tests.e2e.conftest import not_parity

ROOT = cluster.PROJECT.root
DRILLS = {f"drill-{kind.title}" for kind in DISRUPTIONS} | {"drill-all"}
TASKS = {"addons", "place-order", "smoke", "dashboards-pull", "test", "locust", *DRILLS}
WORKLOADS = {"namespace", "postgres", "migrate", "shop", "receipts", "autoscaler"}


@pytest.fixture
def other_context(tmp_path: Path) -> Path:
    """A kubeconfig whose current context is a foreign cluster, at an address without a listener."""
    path = tmp_path / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "production",
                "contexts": [{"name": "production", "context": {"cluster": "production", "user": "someone"}}],
                "clusters": [{"name": "production", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "someone", "user": {}}],
            }
        )
    )
    return path


def test_tilt_refuses_another_context(other_context: Path) -> None:
    done = evaluate_tiltfile(other_context)
    assert done.returncode != 0
    assert 'the kube context is "production", not "kind-drydock"' in done.stdout + done.stderr


def test_tilt_refuses_an_unknown_mode() -> None:
    done = evaluate_tiltfile(None, "--", "--mode", "production")
    assert done.returncode != 0
    assert 'unknown mode "production"' in done.stdout + done.stderr


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("profile", Profile)
def test_tilt_names_every_object_of_a_stack(mode: Mode, profile: Profile) -> None:
    # Tilt puts objects without a resource of their own into "uncategorized".
    assert resources(Stack(mode, profile)) == {*WORKLOADS, *TASKS, *TELEMETRY}


def test_tilt_leaves_out_what_is_not_wanted() -> None:
    left = resources(Stack(without=(Part.GRAFANA, Part.JAEGER)))
    assert left == {*WORKLOADS, *TASKS, *TELEMETRY} - {"grafana", "jaeger"}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("without", [(), (Part.KEDA,), (Part.PROMETHEUS,)], ids=" ".join)
def test_tilt_deploys_the_one_autoscaler_that_the_stack_chooses(mode: Mode, without: tuple[Part, ...]) -> None:
    stack = Stack(mode, without=without)
    kind = "ScaledObject" if stack.autoscaling is Autoscaling.KEDA else "HorizontalPodAutoscaler"
    deployed = [item for item in deployed_by_tilt(stack) if item["kind"] in ("ScaledObject", "HorizontalPodAutoscaler")]
    shops = [item for item in deployed if item["metadata"]["name"] == cluster.WORKLOAD.deployment]
    assert [item["kind"] for item in shops] == [kind]
    assert (shops[0]["spec"].get("maxReplicas") == 1) is (mode is Mode.DEV)


def test_tilt_refuses_to_leave_out_what_it_does_not_know() -> None:
    done = evaluate_tiltfile(None, "--", "--without", "postgres")
    assert done.returncode != 0
    assert 'there is no part "postgres" to leave out' in done.stdout + done.stderr


def resources(stack: Stack) -> set[str]:
    """The names of Tilt's resources."""
    return {manifest["Name"] for manifest in manifests(stack)}


def deployed_by_tilt(stack: Stack) -> list[Any]:
    """All objects that Tilt applies."""
    texts = [manifest["DeployTarget"].get("yaml") for manifest in manifests(stack) if manifest["DeployTarget"]]
    return [item for text in texts if text for item in yaml.safe_load_all(text)]


def manifests(stack: Stack) -> list[Any]:
    """Tilt's manifests after it has evaluated the Tiltfile."""
    done = evaluate_tiltfile(None, "--", *stack.arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[Any] = json.loads(done.stdout)["Manifests"]
    return found


def test_end_to_end_tests_refuse_another_context(other_context: Path) -> None:
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "pytest", "tests/e2e/test_orders.py", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=os.environ | {"KUBECONFIG": str(other_context)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "the kube context is 'production', not 'kind-drydock'" in done.stdout + done.stderr


def test_a_reloading_workload_is_not_taken_for_production() -> None:
    deployment: dict[str, Any] = copy.deepcopy(cluster.get("deployment", cluster.WORKLOAD.deployment))
    assert not_parity(deployment) is None
    deployment["spec"]["template"]["spec"]["containers"][0]["args"] = ["uvicorn", "app.main:app", "--reload"]
    assert "overrides the image's command" in str(not_parity(deployment))


def evaluate_tiltfile(kubeconfig: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Evaluate the Tiltfile without starting its resources."""
    environment = cluster.environment() | ({"KUBECONFIG": str(kubeconfig)} if kubeconfig else {})
    tilt = tools.locate(tools.TILT) or "tilt"
    command = [str(tilt), "alpha", "tiltfile-result", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
