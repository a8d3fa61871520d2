"""The dashboards of this repository: what each of them has to be."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units

from drydock.core.project import Workload
from drydock.dashboards.document import Dashboard, files, panels, read
from drydock.dashboards.lint import count, lint
from drydock.dashboards.panel_rules import unit
from drydock.dashboards.queries import SEEN_AFTER_FAILURE, choices_of, metrics_used, queries

with warnings.catch_warnings():  # Grafana would rather have its second schema; files are in the first, the classic one
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.models.dashboard import Dashboard as Schema

ROOT = Path(__file__).parents[3]
FILES = files(ROOT)
UNITS = {value for value in vars(units).values() if isinstance(value, str)}

every_dashboard = pytest.mark.parametrize("uid", FILES)


def lost(given: Any, kept: Any, path: str = "dashboard") -> Iterator[str]:
    """Where `kept` does not have what was `given`."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            yield from lost(value, kept[key], f"{path}.{key}") if key in kept else [f"{path}.{key}"]
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for place, (value, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(value, other, f"{path}[{place}]")
    elif given != kept:
        yield path


def unknown_to_grafana(dashboard: Dashboard) -> list[str]:
    """The fields of `dashboard` that Grafana's published schema does not have."""
    register_default_plugins()
    return list(lost(dashboard, json.loads(JSONEncoder().encode(Schema.from_json(dashboard)))))


def test_these_dashboards_exist() -> None:
    assert set(FILES) >= {"service", "saturation", "scaling", "shutdown", "postgres", "telemetry"}


def test_the_linter_finds_nothing() -> None:
    assert lint(ROOT) == []


@every_dashboard
def test_every_field_is_one_that_grafana_knows(uid: str) -> None:
    assert unknown_to_grafana(read(FILES[uid])) == []


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"refesh": "5s"}, "dashboard.refesh"),
        ({"panels": [{"type": "timeseries", "descripton": "?"}]}, "dashboard.panels[0].descripton"),
        (
            {"panels": [{"type": "timeseries", "options": {"legend": {"placment": "right"}}}]},
            "dashboard.panels[0].options.legend.placment",
        ),
        (
            {"panels": [{"type": "stat", "fieldConfig": {"defaults": {"units": "s"}, "overrides": []}}]},
            "dashboard.panels[0].fieldConfig.defaults.units",
        ),
        (
            {"panels": [{"type": "stat", "datasource": {"type": "prometheus"}, "targets": [{"expresion": "up"}]}]},
            "dashboard.panels[0].targets[0].expresion",
        ),
    ],
)
def test_a_misspelt_field_is_found(wrong: dict[str, Any], found: str) -> None:
    assert unknown_to_grafana({**read(FILES["service"]), **wrong}) == [found]


@every_dashboard
def test_every_unit_is_one_that_grafana_knows(uid: str) -> None:
    chosen = {str(unit(panel)) for panel in panels(read(FILES[uid]))}

    assert {name for name in chosen if not name.startswith("suffix:")} <= UNITS


@every_dashboard
def test_every_panel_has_a_unit_and_says_what_it_is_for(uid: str) -> None:
    figures = count(read(FILES[uid]))

    assert figures.with_unit == figures.with_description == figures.panels
    assert figures.panels >= 8


@every_dashboard
def test_every_range_is_grafanas_to_choose(uid: str) -> None:
    """The one exception is a sum over all that is shown."""
    windows = {window for query in queries(read(FILES[uid])) for window in query.ranges}

    assert windows <= {"$__rate_interval", "$__range"}


@every_dashboard
def test_every_query_is_promql_once_the_variables_are_filled_in(uid: str) -> None:
    for query in queries(read(FILES[uid])):
        assert "$" not in query.expression
        promql_parser.parse(query.expression)


@every_dashboard
def test_deploys_and_drills_are_marked(uid: str) -> None:
    marks = {mark["name"]: mark for mark in read(FILES[uid])["annotations"]["list"]}

    assert marks["Deploys"]["expr"].endswith("* 1000"), "Grafana takes the value for milliseconds"
    assert marks["Deploys"]["useValueForTime"]
    assert marks["Drills"]["target"]["tags"] == ["drill"]


def test_the_metrics_of_a_dashboard_are_those_of_its_panels_annotations_and_variables() -> None:
    used = metrics_used(read(FILES["service"]))

    assert {"http_requests_total", "kube_replicaset_created", "http_requests_in_flight"} <= used
    assert "slo:error_budget_remaining:ratio" in used


def test_what_appears_with_the_first_failure_only_is_used_somewhere() -> None:
    used = {name for path in FILES.values() for name in metrics_used(read(path))}

    assert used >= SEEN_AFTER_FAILURE


def test_a_projects_own_service_is_chosen() -> None:
    workload = Workload(namespace="cart", deployment="d", container="c", service="basket")

    assert choices_of(workload) == {"datasource": "prometheus", "namespace": "cart", "service": "basket"}


def test_the_choices_are_filled_in() -> None:
    query = next(query for query in queries(read(FILES["service"]), {"namespace": "cart", "service": "basket"}))

    assert query.expression == 'slo:error_budget_remaining:ratio{namespace="cart", job="basket"}'
    assert (query.dashboard, query.panel, query.ref) == ("service", "Error budget left", "A")
