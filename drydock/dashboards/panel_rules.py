"""The rules about one panel: that it says what it shows and what to do about it, and asks Prometheus well."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import promql_parser

from drydock.dashboards.conventions import PROMETHEUS
from drydock.dashboards.document import Dashboard, Panel, panels
from drydock.dashboards.queries import SEEN_AFTER_FAILURE, Query, metric_names, panel_queries, selectors
from drydock.dashboards.rules import LintFinding

# Metrics with exemplars, which lead from a point to a trace.
WITH_EXEMPLARS = frozenset({"http_request_duration_seconds_bucket", "traces_span_metrics_duration_seconds_bucket"})

# Metrics that are about every job, and ask for none.
ABOUT_ALL = frozenset({"up", "scrape_duration_seconds", "scrape_samples_post_metric_relabeling", "slo:objective"})
CHOOSING = frozenset({"namespace", "job"})

# Types whose series need names; a heatmap's are its buckets, and one value needs none.
WITH_LEGEND = frozenset({"timeseries", "state-timeline"})

_MADE_UP_ZERO = re.compile(r"\bvector\s*\(")


def check(dashboard: Dashboard) -> Iterator[LintFinding]:
    """Every rule about each panel of `dashboard`."""
    for panel in panels(dashboard):
        title = str(panel.get("title") or f"panel {panel.get('id')}")
        asked = panel_queries(dashboard, panel)
        for rule, text, remedy in (*_words(panel), *_limits(panel), *_targets(panel), *_exemplars(asked)):
            yield LintFinding(rule, text, remedy, title)
        for query in asked:
            for rule, text, remedy in _query(query):
                yield LintFinding(rule, f"query {query.ref} {text}", remedy, title)


def unit(panel: Panel) -> str | None:
    """The unit of the panel's values; a heatmap has it on its axis."""
    if panel.get("type") == "heatmap":
        found = panel.get("options", {}).get("yAxis", {}).get("unit")
    else:
        found = _field(panel).get("unit")
    return str(found) if found else None


Broken = tuple[str, str, str]  # rule, text, remedy


def _field(panel: Panel) -> dict[str, Any]:
    field: dict[str, Any] = panel.get("fieldConfig", {}).get("defaults", {})
    return field


def _words(panel: Panel) -> Iterator[Broken]:
    if not panel.get("title"):
        yield "title", "has no title", "Say what it shows."
    if not unit(panel):
        yield "unit", "has no unit", "Choose one under Standard options, Unit; for bare numbers `short`."
    purpose, _, action = str(panel.get("description") or "").partition("\n\n")
    if not purpose or not action.startswith("When "):
        remedy = "Write what it is for, an empty line, and `When ...` it is bad: what to do."
        yield "description", "does not say what it is for and what to do", remedy


def _limits(panel: Panel) -> Iterator[Broken]:
    """A limit that is known has to be seen: by colour in a stat, as a line in a graph."""
    field = _field(panel)
    steps = field.get("thresholds", {}).get("steps", [])
    drawn = field.get("custom", {}).get("thresholdsStyle", {}).get("mode", "off") != "off"
    if panel.get("type") == "stat" and len(steps) < 2:
        yield "thresholds", "is one number without a limit", "Say from where on it is bad."
    if panel.get("type") == "timeseries" and len(steps) > 1 and not drawn:
        yield "thresholds", "has a limit that is not drawn", "Set Show thresholds to lines."


def _targets(panel: Panel) -> Iterator[Broken]:
    targets = panel.get("targets") or []
    if not targets:
        yield "queries", "asks for nothing", "Give it a query, or delete it."
    for source in (panel.get("datasource"), *(target.get("datasource") for target in targets)):
        if source is not None and source != dict(PROMETHEUS):
            yield "data source", f"asks {source}", "Choose the data source ${datasource}."
    if panel.get("datasource") is None:
        yield "data source", "has no data source", "Choose the data source ${datasource}."
    for ref, times in Counter(target.get("refId") for target in targets).items():
        if times > 1:
            yield "refId", f"has {times} queries called {ref}", "Give each a letter of its own."
    if panel.get("type") in WITH_LEGEND:
        for target in targets:
            if target.get("legendFormat") in (None, "", "__auto"):
                yield (
                    "legend",
                    f"query {target.get('refId')} has no legend",
                    "Set Legend to what tells its series apart.",
                )


def _exemplars(asked: list[Query]) -> Iterator[Broken]:
    durations = [query for query in asked if WITH_EXEMPLARS & set(re.findall(r"\w+", query.text))]
    if durations and not any(query.exemplar for query in durations):
        yield "exemplars", "shows durations without a way to their traces", "Switch Exemplars on, for one query."


def _query(query: Query) -> Iterator[Broken]:
    try:
        parsed = promql_parser.parse(query.expression)
    except ValueError as error:
        yield "PromQL", f"is not PromQL: {error}", "Try it in Prometheus; unknown variables are left as they are."
        return
    for window in query.ranges:
        if not window.strip().startswith("$__"):
            remedy = "Use [$__rate_interval], or a recording rule where a fixed window is what is meant."
            yield "range", f"has the fixed range [{window}]", remedy
    if _MADE_UP_ZERO.search(query.text):
        yield "zero", "hides a missing metric behind a number", "Use `or 0 * metric` with one that is always there."
    if SEEN_AFTER_FAILURE & metric_names(query.expression) and " or 0 * " not in query.text:
        remedy = "Add `or 0 * metric` with one that is always there: before the first failure, 0 is the truth."
        yield "zero", "is empty until something fails", remedy
    for selector in selectors(parsed):
        if selector.name not in ABOUT_ALL and not CHOOSING & {matcher.name for matcher in selector.matchers.matchers}:
            remedy = 'Add namespace="$namespace" or job="...".'
            yield "selector", f"takes {selector.name} of every namespace and job", remedy
