"""Prometheus' rules: promtool accepts and tests them, every alert states an action, and every file is used."""

import subprocess
from pathlib import Path

import pytest
import yaml

from drydock.manifests.objects import Object
from drydock.pinned import tools
from tests.manifests.conftest import ROOT
from tests.manifests.rules import alerts

FOLDER = ROOT / "observability" / "prometheus"
RULES = sorted((FOLDER / "rules").glob("*.yaml"))
TESTS = sorted((FOLDER / "tests").glob("*.yaml"))
SLOW = {"error-budget"}  # hours of samples for each of its windows
DASHBOARDS = {"service", "saturation", "scaling", "shutdown", "postgres", "telemetry"}


@pytest.fixture(scope="session")
def promtool() -> Path:
    return tools.obtain(tools.PROMTOOL)


@pytest.fixture
def files() -> list[Object]:
    """The rule files, which a test may change."""
    return [yaml.safe_load(path.read_text()) for path in RULES]


@pytest.fixture
def tests() -> list[Object]:
    return [yaml.safe_load(path.read_text()) for path in TESTS]


def run(promtool: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)


def test_promtool_accepts_every_rule(promtool: Path) -> None:
    done = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *RULES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "path", [pytest.param(it, id=it.stem, marks=[pytest.mark.slow] * (it.stem in SLOW)) for it in TESTS]
)
def test_the_rules_pass_their_promtool_tests(promtool: Path, path: Path) -> None:
    done = run(promtool, "test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_explained(files: list[Object]) -> None:
    assert alerts.explained(files, DASHBOARDS) == []


def test_every_alert_has_a_test_that_fires_and_one_that_does_not(files: list[Object], tests: list[Object]) -> None:
    assert alerts.shown_both_ways(files, tests) == []


def test_every_rule_file_reaches_prometheus() -> None:
    generators = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["configMapGenerator"]
    named = next(item["files"] for item in generators if item["name"] == "prometheus-rules")
    assert sorted(named) == [f"rules/{path.name}" for path in RULES]


def test_the_rules_use_only_exported_and_recorded_metrics(files: list[Object]) -> None:
    used = alerts.metrics_used(files)
    assert used >= {"http_requests_total", "database_pool_waiting", "kube_job_failed", "up"}
    assert not {name for name in used if name.startswith("slo:")}, "recorded by no rule"


# The negative controls.


def test_invalid_promql_is_found(promtool: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("groups: [{name: a, rules: [{record: 'a:b', expr: 'sum by (pod) (rate(x[5m]) /'}]}]")
    done = run(promtool, "check", "rules", broken)
    assert done.returncode != 0
    assert "parse error" in done.stderr


def test_a_threshold_that_moved_is_found(promtool: Path, tmp_path: Path) -> None:
    for folder in ("rules", "tests"):
        (tmp_path / folder).mkdir()
    rule, case = "rules/connection-pool.yaml", "tests/connection-pool.yaml"
    (tmp_path / rule).write_text(
        (FOLDER / rule).read_text().replace("database_pool_waiting > 0", "database_pool_waiting > 3")
    )
    (tmp_path / case).write_text((FOLDER / case).read_text())
    done = run(promtool, "test", "rules", tmp_path / case)
    assert done.returncode != 0
    assert "ConnectionPoolExhausted" in done.stdout + done.stderr


def test_an_incomplete_alert_is_found(files: list[Object]) -> None:
    alert = alerts.alerts(files)[0]
    alert["labels"]["severity"] = "critical"
    alert["annotations"] = {"summary": "broken", "description": "It is broken.", "dashboard": "/d/none"}
    assert alerts.explained(files, DASHBOARDS) == [
        f"{alert['alert']} has no severity of ('page', 'ticket')",
        f"{alert['alert']} lacks ['action']",
        f"{alert['alert']} does not say its value",
        f"{alert['alert']} leads to no dashboard",
    ]


def test_an_alert_without_a_negative_control_is_found() -> None:
    files = [{"groups": [{"name": "a", "rules": [{"alert": "Always", "expr": "vector(1)"}]}]}]
    tests = [{"tests": [{"alert_rule_test": [{"alertname": "Always", "exp_alerts": [{}]}]}]}]
    assert alerts.shown_both_ways(files, tests) == ["no test shows Always keeping silent"]
