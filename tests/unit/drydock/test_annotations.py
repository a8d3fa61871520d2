"""Drills annotate Grafana's dashboards. If Grafana rejects annotations, drydock warns once."""

import time
from collections.abc import Iterator

import pytest

from drydock.dashboards import conventions
from drydock.drills.annotations import Annotations
from drydock.telemetry.grafana import Grafana
from tests.unit.drydock.grafana_double import GrafanaDouble, serving


@pytest.fixture
def double() -> Iterator[GrafanaDouble]:
    with serving() as running:
        yield running


def test_a_range_is_annotated_in_milliseconds_with_the_tags_of_the_dashboards(double: GrafanaDouble) -> None:
    began = time.time() - 30
    with Grafana(double.url) as grafana:
        Annotations(grafana, "scale").mark("load off", began)

    [kept] = double.annotations
    assert kept["time"] == round(began * 1000)
    assert kept["timeEnd"] - kept["time"] == pytest.approx(30_000, abs=2_000)
    asked = next(it["target"]["tags"] for it in conventions.ANNOTATIONS if it["name"] == "Drills")
    assert set(asked) <= set(kept["tags"])
    assert "scale" in kept["tags"]


def test_an_annotation_of_a_moment_has_no_end(double: GrafanaDouble) -> None:
    with Grafana(double.url) as grafana:
        Annotations(grafana, "scale").mark("passed")

    assert "timeEnd" not in double.annotations[0]


def test_if_grafana_rejects_annotations_drydock_warns_once(
    double: GrafanaDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    double.refuses_annotations = True
    with Grafana(double.url) as grafana:
        annotations = Annotations(grafana, "scale")
        annotations.mark("one")
        annotations.mark("two")

    assert capsys.readouterr().err.count("not marked on the dashboards") == 1


def test_if_grafana_does_not_answer_drydock_warns(capsys: pytest.CaptureFixture[str]) -> None:
    with Grafana("http://127.0.0.1:9") as grafana:
        Annotations(grafana, "scale").mark("one")

    assert "does not answer" in capsys.readouterr().err
