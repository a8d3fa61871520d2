"""The dashboards match the metrics of the running stack, and pull and push keep files and Grafana in step."""

import math
import shutil
import time
from functools import partial
from pathlib import Path

import pytest

from drydock.dashboards import document, sync
from drydock.dashboards.queries import SCRAPE_SECONDS, SEEN_AFTER_FAILURE, Query, choices_of, metrics_used, queries
from drydock.telemetry.grafana import Grafana
from tests.e2e import cluster
from tests.polling import poll_until
from tests.telemetry.prometheus import Prometheus
from tests.telemetry.smoke import send

DASHBOARDS = {uid: document.read(path) for uid, path in document.files(cluster.PROJECT.root).items()}
PAGES = cluster.PROJECT.configuration.telemetry.kind
PROMETHEUS = Prometheus(PAGES.prometheus)


@pytest.fixture(scope="module", autouse=True)
def smoke(environment: None) -> float:
    """Half a minute of requests, so that the panels have data. Returns when it began, in Unix seconds."""
    began = time.time()
    send(cluster.PROJECT, "kind")
    return began


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_every_metric_on_the_dashboard_is_exported(uid: str) -> None:
    wanted = metrics_used(DASHBOARDS[uid]) - SEEN_AFTER_FAILURE
    poll_until(lambda: wanted <= PROMETHEUS.metrics(), f"{sorted(wanted - PROMETHEUS.metrics())} to be exported", 60)


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_no_panel_is_empty(uid: str, smoke: float) -> None:
    """Every panel shows at least one series since the requests began, and Prometheus accepts every expression."""
    found = queries(DASHBOARDS[uid], choices_of(cluster.PROJECT.configuration.workload))
    for title, asked in by_panel(found).items():
        poll_until(partial(any_shown, asked, smoke), f"{uid}: {title} to show something", 60)
    print(f"{uid}: {len(by_panel(found))} panels, {len(found)} queries, none empty")


def test_a_panel_about_nothing_is_found_empty() -> None:
    assert not shown(Query("none", "Nothing", "A", "no_such_metric", "no_such_metric"), time.time() - 60)


def test_a_panel_that_was_tuned_in_grafana_comes_back_and_goes_there_again(tmp_path: Path) -> None:
    """After a pull the file differs in the changed line only. After a push Grafana matches the file."""
    shutil.copytree(cluster.PROJECT.root / document.FOLDER, tmp_path / document.FOLDER)
    path = document.files(tmp_path)["service"]
    original = path.read_text()
    with Grafana(PAGES.grafana) as grafana:
        sync.push(tmp_path, grafana)
        tune(grafana)
        sync.pull(tmp_path, grafana)
        before, after = original.splitlines(), path.read_text().splitlines()
        changed = [(old.strip(), new.strip()) for old, new in zip(before, after, strict=True) if old != new]
        assert [new for _, new in changed] == ['"description": "Tuned on the page.",']
        assert not differences(tmp_path, grafana), "pulled again, nothing is left to pull"

        path.write_text(original)
        assert [change.uid for change in differences(tmp_path, grafana)] == ["service"]
        sync.push(tmp_path, grafana)
        assert not differences(tmp_path, grafana), "pushed, both are the same"


def tune(grafana: Grafana) -> None:
    """Change one panel as Grafana's page does, by saving the whole dashboard."""
    stored = grafana.dashboard("service")
    assert stored
    stored.dashboard["panels"][0]["description"] = "Tuned on the page."
    grafana.save(stored, "tuned")


def differences(root: Path, grafana: Grafana) -> list[sync.FileChange]:
    """The differences between the files and Grafana."""
    return [change for change in sync.changes(root, grafana) if not change.same]


def by_panel(asked: list[Query]) -> dict[str, list[Query]]:
    """The queries by panel."""
    panels: dict[str, list[Query]] = {}
    for query in asked:
        panels.setdefault(query.panel, []).append(query)
    return panels


def any_shown(asked: list[Query], since: float) -> bool:
    """Whether one of the queries of a panel returns a number."""
    return any(shown(query, since) for query in asked)


def shown(query: Query, since: float) -> bool:
    """Whether a query returns at least one number since a time, as its panel shows it."""
    series = PROMETHEUS.over(query.expression, since, time.time(), SCRAPE_SECONDS)
    return any(not math.isnan(value) for _, values in series for value in values)
