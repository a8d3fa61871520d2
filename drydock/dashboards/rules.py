"""The rules for a whole dashboard: its variables, annotations and links, and the ids and positions of its panels."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from drydock.dashboards import conventions
from drydock.dashboards.document import Dashboard, panels
from drydock.dashboards.normal import normalise

COLUMNS = 24


@dataclass(frozen=True)
class LintFinding:
    """A violation of a rule, with its remedy. `panel` is empty if it concerns the whole dashboard."""

    rule: str
    text: str
    remedy: str
    panel: str = ""
    file: str = ""


def check(dashboard: Dashboard) -> Iterator[LintFinding]:
    """The findings in `dashboard` as a whole."""
    normal = normalise(dashboard)
    yield from _identity(normal)
    yield from _missing("variable", normal.get("templating"), conventions.VARIABLES)
    yield from _missing("annotation", normal.get("annotations"), conventions.ANNOTATIONS)
    yield from _links(normal)
    yield from _ids(normal)
    yield from _places(normal)


def _identity(dashboard: Dashboard) -> Iterator[LintFinding]:
    if not dashboard.get("title"):
        yield LintFinding("title", "the dashboard has no title", "Add a title.")
    if not dashboard.get("description"):
        yield LintFinding("description", "the dashboard has no description", "Write the question that it answers.")
    if conventions.TAG not in dashboard.get("tags", []):
        yield LintFinding("tag", f"the tag {conventions.TAG} is missing", "Add it: links and `pull` depend on it.")
    if dashboard.get("schemaVersion") != conventions.SCHEMA_VERSION:
        remedy = f"Push and pull it, so that Grafana migrates it to {conventions.SCHEMA_VERSION}."
        yield LintFinding("schema", f"schemaVersion is {dashboard.get('schemaVersion')}", remedy)


def _missing(kind: str, holder: Any, expected: Iterable[Mapping[str, Any]]) -> Iterator[LintFinding]:
    """Checks that the dashboard has each of the `expected` items unchanged. It may have further ones."""
    present = {item.get("name"): item for item in (holder or {}).get("list", [])}
    for item in (normalise({"list": [item]})["list"][0] for item in expected):
        name = item["name"]
        if present.get(name) != item:
            problem = "differs from" if name in present else "is missing; it is one of"
            remedy = "Copy it from drydock/dashboards/conventions.py, or from another dashboard."
            yield LintFinding(kind, f"{name!r} {problem} the {kind}s that all dashboards have", remedy)


def _links(dashboard: Dashboard) -> Iterator[LintFinding]:
    if any(dict(link) not in dashboard.get("links", []) for link in conventions.LINKS):
        remedy = "Add a link of type dashboards, tag drydock, with time range and variables."
        yield LintFinding("links", "no links to the other dashboards", remedy)


def _ids(dashboard: Dashboard) -> Iterator[LintFinding]:
    for identity, times in Counter(panel.get("id") for panel in panels(dashboard)).items():
        if identity is None or times > 1:
            remedy = "Give each panel another number: links and alerts refer to it."
            yield LintFinding("panel id", f"{times} panels have the id {identity}", remedy)


def _places(dashboard: Dashboard) -> Iterator[LintFinding]:
    placed = [(panel, panel["gridPos"]) for panel in panels(dashboard) if "gridPos" in panel]
    for panel, place in placed:
        if place["x"] + place["w"] > COLUMNS:
            yield LintFinding("place", f"ends beyond column {COLUMNS}", "Make it narrower.", str(panel.get("title")))
    for (panel, one), (other, two) in combinations(placed, 2):
        if _overlap(one, two):
            text = f"overlaps {other.get('title')!r}"
            yield LintFinding("place", text, "Move one of them in Grafana, then pull.", str(panel.get("title")))


def _overlap(one: Mapping[str, int], two: Mapping[str, int]) -> bool:
    beside = one["x"] + one["w"] <= two["x"] or two["x"] + two["w"] <= one["x"]
    above = one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
    return not beside and not above
