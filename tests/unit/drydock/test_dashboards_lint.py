"""The linter finds a violation of each rule, and names its file, panel and query."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drydock.dashboards.document import FOLDER, text
from drydock.dashboards.lint import KUSTOMIZATION, fix, lint
from drydock.dashboards.rules import LintFinding
from drydock.dashboards.scaffold import scaffold

FileChange = Callable[[dict[str, Any]], Any]


def checkout(folder: Path, dashboard: dict[str, Any], name: str = "orders") -> Path:
    """The root of a checkout with one dashboard, which is in the kustomization."""
    path = folder / FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(dashboard))
    (folder / KUSTOMIZATION).write_text(f"configMapGenerator:\n- files:\n  - dashboards/{name}.json\n")
    return folder


def findings(folder: Path, change: FileChange) -> list[LintFinding]:
    """The findings in a valid dashboard after this change."""
    dashboard = copy.deepcopy(scaffold("orders"))
    change(dashboard)
    return lint(checkout(folder, dashboard))


def panel(**fields: Any) -> FileChange:
    """A change of the panel's fields; None removes a field."""

    def change(dashboard: dict[str, Any]) -> None:
        for key, value in fields.items():
            dashboard["panels"][0].pop(key) if value is None else dashboard["panels"][0].update({key: value})

    return change


def query(expression: str, **fields: Any) -> FileChange:
    """A change of the panel's query."""
    return lambda dashboard: dashboard["panels"][0]["targets"][0].update(expr=expression, **fields)


def second_panel(**fields: Any) -> FileChange:
    """A change that adds a copy of the first panel with these fields."""
    return lambda dashboard: dashboard["panels"].append({**dashboard["panels"][0], **fields})


def without(holder: str, name: str) -> FileChange:
    """A change that removes a variable or an annotation."""

    def change(dashboard: dict[str, Any]) -> None:
        items = dashboard[holder]["list"]
        dashboard[holder]["list"] = [item for item in items if item["name"] != name]

    return change


def limited(dashboard: dict[str, Any]) -> None:
    steps = [{"color": "green", "value": None}, {"color": "red", "value": 5}]
    dashboard["panels"][0]["fieldConfig"]["defaults"]["thresholds"] = {"mode": "absolute", "steps": steps}


IN_FLIGHT = 'sum(http_requests_in_flight{namespace="$namespace"})'


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("title", lambda dashboard: dashboard.pop("title")),
        ("description", lambda dashboard: dashboard.pop("description")),
        ("tag", lambda dashboard: dashboard.update(tags=["other"])),
        ("schema", lambda dashboard: dashboard.update(schemaVersion=36)),
        ("uid", lambda dashboard: dashboard.update(uid="basket")),
        ("links", lambda dashboard: dashboard.update(links=[])),
        ("variable", without("templating", "service")),
        ("annotation", without("annotations", "Drills")),
        ("annotation", lambda dashboard: dashboard["annotations"]["list"][1].update(useValueForTime=False)),
        ("panel id", second_panel(gridPos={"x": 12, "y": 0, "w": 12, "h": 8})),
        ("place", second_panel(id=2)),
        ("place", second_panel(id=2, gridPos={"x": 13, "y": 0, "w": 12, "h": 8})),
        ("title", panel(title=None)),
        ("unit", panel(fieldConfig={"defaults": {"min": 0}, "overrides": []})),
        ("description", panel(description=None)),
        ("description", panel(description="What each pod answers.")),
        ("description", panel(description="What each pod answers.\n\nIt is nice to know.")),
        ("thresholds", panel(type="stat")),
        ("thresholds", limited),
        ("queries", panel(targets=[])),
        ("data source", panel(datasource={"type": "prometheus", "uid": "PBFA97CFB590B2093"})),
        ("data source", panel(datasource=None)),
        ("data source", query(IN_FLIGHT, datasource={"type": "prometheus", "uid": "other"})),
        ("refId", lambda dashboard: dashboard["panels"][0].update(targets=dashboard["panels"][0]["targets"] * 2)),
        ("legend", query(IN_FLIGHT, legendFormat="__auto")),
        ("legend", query(IN_FLIGHT, legendFormat="")),
        ("PromQL", query("sum(")),
        ("PromQL", query('up{job="$nobody_knows"}[$nobody_knows]')),
        ("PromQL", query('rate(http_requests_in_flight{namespace="$namespace"})')),
        ("range", query('rate(http_requests_total{namespace="$namespace"}[5m])')),
        ("range", query('max_over_time(http_requests_in_flight{namespace="$namespace"}[ 1h ])')),
        ("zero", query(IN_FLIGHT + " or vector(0)")),
        ("zero", query('rate(database_unavailable_total{namespace="$namespace"}[$__rate_interval])')),
        ("selector", query("sum(http_requests_in_flight)")),
        ("selector", query('sum(http_requests_in_flight{pod=~"shop-.+"})')),
        (
            "exemplars",
            query('sum by (le) (rate(http_request_duration_seconds_bucket{job="$service"}[$__rate_interval]))'),
        ),
    ],
)
def test_a_violation_has_its_rule_a_remedy_and_the_file(tmp_path: Path, rule: str, change: FileChange) -> None:
    found = findings(tmp_path, change)

    assert {finding.rule for finding in found} == {rule}
    assert all(finding.remedy for finding in found)
    assert {finding.file for finding in found} == {f"{FOLDER}/orders.json"}


@pytest.mark.parametrize(
    "change",
    [
        lambda dashboard: None,
        query('max(kube_pod_status_ready{namespace="$namespace", pod=~"[0-9]+-[a-z]+"})'),
        query('sum(increase(http_requests_total{job="$service"}[$__range]))'),
        query(f'rate(database_unavailable_total{{job="$service"}}[$__rate_interval]) or 0 * {IN_FLIGHT}'),
        query("min by (job) (up)"),
        lambda dashboard: dashboard["templating"]["list"].append({"name": "route", "type": "textbox", "query": "/"}),
        second_panel(id=2, gridPos={"x": 12, "y": 0, "w": 12, "h": 8}),
    ],
)
def test_a_valid_dashboard_has_no_findings(tmp_path: Path, change: FileChange) -> None:
    assert findings(tmp_path, change) == []


def test_a_finding_names_the_panel_and_the_query(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, query("sum("))

    assert finding.panel == "Requests by pod"
    assert finding.text.startswith("query A is not PromQL")


def test_panels_inside_a_row_are_linted_too(tmp_path: Path) -> None:
    def into_a_row(dashboard: dict[str, Any]) -> None:
        query("sum(")(dashboard)
        dashboard["panels"] = [{"type": "row", "title": "More", "panels": dashboard["panels"]}]

    assert [finding.rule for finding in findings(tmp_path, into_a_row)] == ["PromQL"]


def test_a_dashboard_outside_the_kustomization_is_found(tmp_path: Path) -> None:
    root = checkout(tmp_path, scaffold("orders"))
    (root / KUSTOMIZATION).write_text("configMapGenerator: []\n")

    (finding,) = lint(root)

    assert finding.rule == "registered"
    assert "dashboards/orders.json" in finding.remedy


def test_a_file_that_is_not_in_the_normal_form_is_found_and_can_be_fixed(tmp_path: Path) -> None:
    root = checkout(tmp_path, scaffold("orders"))
    path = root / FOLDER / "orders.json"
    path.write_text(path.read_text().replace("{", '{\n  "version": 3,', 1))

    assert [finding.rule for finding in lint(root)] == ["form"]
    assert fix(root) == [path]
    assert lint(root) == []
    assert fix(root) == []
