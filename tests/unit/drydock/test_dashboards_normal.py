"""The normal form drops the values that Grafana adds at a save, and keeps every change of a person."""

import copy
import json
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest

from drydock.dashboards.document import files, read, text
from drydock.dashboards.normal import normalise

DATA = Path(__file__).parent / "dashboards_data"
EXPORT = read(DATA / "grafana_export.json")
ROOT = Path(__file__).parents[3]


def changed_lines(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The changed lines of a diff of both files."""
    lines = unified_diff(text(before).splitlines(), text(after).splitlines(), n=0, lineterm="")
    return [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]


def edited(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The export after a change in Grafana."""
    after = copy.deepcopy(EXPORT)
    change(after)
    return after


def test_the_normal_form_of_an_export_is_the_file_in_git() -> None:
    assert text(EXPORT) == (DATA / "orders.json").read_text()


@pytest.mark.parametrize("uid", files(ROOT))
def test_every_file_is_in_the_normal_form(uid: str) -> None:
    path = files(ROOT)[uid]

    assert text(read(path)) == path.read_text()
    assert path.read_text().endswith("}\n")


def test_normalise_does_not_modify_its_argument() -> None:
    before = copy.deepcopy(EXPORT)

    normalise(EXPORT)

    assert before == EXPORT


def test_the_order_of_keys_does_not_matter() -> None:
    def reversed_keys(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reversed_keys(value[key]) for key in reversed(value)}
        return [reversed_keys(item) for item in value] if isinstance(value, list) else value

    assert text(reversed_keys(EXPORT)) == text(EXPORT)


@pytest.mark.parametrize(
    "change",
    [
        lambda saved: saved.update(id=4711, version=88, iteration=1700000000000),
        lambda saved: saved["templating"]["list"][1].update(current={"text": "cart", "value": "cart"}),
        lambda saved: saved["templating"]["list"][1].update(query="label_values(http_requests_in_flight, namespace)"),
        lambda saved: saved["panels"][0].update(pluginVersion="13.2.0"),
        lambda saved: saved["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][0].update(value=None),
        lambda saved: saved["panels"][0]["fieldConfig"]["defaults"]["custom"].pop("showValues"),
        lambda saved: saved["panels"][0]["options"].update(legend={"displayMode": "list", "showLegend": True}),
        lambda saved: saved["panels"][0]["targets"][0].pop("datasource"),
    ],
)
def test_a_difference_between_two_saves_or_two_grafanas_is_not_a_change(
    change: Callable[[dict[str, Any]], None],
) -> None:
    assert changed_lines(EXPORT, edited(change)) == []


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (
            lambda saved: saved["panels"][0].update(title="All orders"),
            ['-      "title": "Orders",', '+      "title": "All orders",'],
        ),
        (
            lambda saved: saved["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["steps"][1].update(value=5),
            ['-                "value": 1', '+                "value": 5'],
        ),
        (lambda saved: saved.update(refresh="30s"), ['-  "refresh": "5s",', '+  "refresh": "30s",']),
        (lambda saved: saved.update(timezone="utc"), ['+  "timezone": "utc"', "-  ]", "+  ],"]),
        (
            lambda saved: saved["panels"][2]["targets"][0].update(exemplar=False),
            ['-          "exemplar": true,'],
        ),
    ],
)
def test_a_change_of_a_person_changes_only_its_own_lines(
    change: Callable[[dict[str, Any]], None], lines: list[str]
) -> None:
    assert sorted(changed_lines(EXPORT, edited(change))) == sorted(lines)


def test_a_threshold_of_zero_is_kept_unless_it_is_the_first() -> None:
    def below_zero_is_red(saved: dict[str, Any]) -> None:
        steps = [{"color": "red", "value": -5}, {"color": "green", "value": 0}]
        saved["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["steps"] = steps

    steps = normalise(edited(below_zero_is_red))["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps == [{"color": "red", "value": None}, {"color": "green", "value": 0}]


def test_false_is_not_zero() -> None:
    assert normalise({"graphTooltip": False}) == {"graphTooltip": False}
    assert normalise({"editable": 1}) == {"editable": 1}


def test_panels_in_a_row_are_normalised_too() -> None:
    row = {"type": "row", "title": "More", "panels": EXPORT["panels"][:1]}

    inner = normalise({"panels": [row]})["panels"][0]["panels"][0]

    assert "pluginVersion" not in inner
    assert json.dumps(inner) == json.dumps(normalise(EXPORT)["panels"][0])
