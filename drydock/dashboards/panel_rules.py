"""The rules for one panel: its title, description, unit and thresholds, and its queries."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import promql_parser

from drydock.dashboards.conventions import PROMETHEUS
from drydock.dashboards.document import Dashboard, Panel, panels
from drydock.dashboards.queries import SEEN_AFTER_FAILURE, Query, metric_names, panel_queries, selectors
from drydock.dashboards.rules import LintFinding

# Metrics with exemplars, which link a point to a trace.
WITH_EXEMPLARS = frozenset({"http_request_duration_seconds_bucket", "traces_span_metrics_duration_seconds_bucket"})

# Metrics of all jobs, which need no selector.
WITHOUT_SELECTOR = frozenset(
    {"up", "scrape_duration_seconds", "scrape_samples_post_metric_relabeling", "slo:objective"}
)
SELECTING_LABELS = frozenset({"namespace", "job"})

# Panel types whose series need names. The series of a heatmap are its buckets, and a single value needs no name.
WITH_LEGEND = frozenset({"timeseries", "state-timeline"})

_CONSTANT = re.compile(r"\bvector\s*\(")


def check(dashboard: Dashboard) -> Iterator[LintFinding]:
    """The findings in the panels of `dashboard`."""
    for panel in panels(dashboard):
        title = str(panel.get("title") or f"panel {panel.get('id')}")
        all_queries = panel_queries(dashboard, panel)
        for rule, text, remedy in (*_texts(panel), *_thresholds(panel), *_targets(panel), *_exemplars(all_queries)):
            yield LintFinding(rule, text, remedy, title)
        for query in all_queries:
            for rule, text, remedy in _query(query):
                yield LintFinding(rule, f"query {query.ref} {text}", remedy, title)


def unit(panel: Panel) -> str | None:
    """The unit of the panel's values. A heatmap has it in the options of its axis."""
    if panel.get("type") == "heatmap":
        found = panel.get("options", {}).get("yAxis", {}).get("unit")
    else:
        found = _field(panel).get("unit")
    return str(found) if found else None


Violation = tuple[str, str, str]  # rule, text, remedy


def _field(panel: Panel) -> dict[str, Any]:
    field: dict[str, Any] = panel.get("fieldConfig", {}).get("defaults", {})
    return field


def _texts(panel: Panel) -> Iterator[Violation]:
    if not panel.get("title"):
        yield "title", "has no title", "Name the value that it shows."
    if not unit(panel):
        yield "unit", "has no unit", "Choose one under Standard options, Unit; for plain numbers `short`."
    purpose, _, action = str(panel.get("description") or "").partition("\n\n")
    if not purpose or not action.startswith("When "):
        remedy = "Describe its purpose, leave a line empty, and describe the action: `When ...` it is bad, do ..."
        yield "description", "has no description of its purpose and of the action to take", remedy


def _thresholds(panel: Panel) -> Iterator[Violation]:
    """Checks that a stat has a threshold, and that a graph draws its threshold as a line."""
    field = _field(panel)
    steps = field.get("thresholds", {}).get("steps", [])
    drawn = field.get("custom", {}).get("thresholdsStyle", {}).get("mode", "off") != "off"
    if panel.get("type") == "stat" and len(steps) < 2:
        yield "thresholds", "is a number without a threshold", "Set the value from which it is bad."
    if panel.get("type") == "timeseries" and len(steps) > 1 and not drawn:
        yield "thresholds", "has a threshold that is not drawn", "Set Show thresholds to lines."


def _targets(panel: Panel) -> Iterator[Violation]:
    targets = panel.get("targets") or []
    if not targets:
        yield "queries", "has no query", "Add a query, or delete the panel."
    for source in (panel.get("datasource"), *(target.get("datasource") for target in targets)):
        if source is not None and source != dict(PROMETHEUS):
            yield "data source", f"uses the data source {source}", "Choose the data source ${datasource}."
    if panel.get("datasource") is None:
        yield "data source", "has no data source", "Choose the data source ${datasource}."
    for ref, times in Counter(target.get("refId") for target in targets).items():
        if times > 1:
            yield "refId", f"has {times} queries with the refId {ref}", "Give each query another letter."
    if panel.get("type") in WITH_LEGEND:
        for target in targets:
            if target.get("legendFormat") in (None, "", "__auto"):
                yield (
                    "legend",
                    f"query {target.get('refId')} has no legend",
                    "Set Legend to the labels that distinguish its series.",
                )


def _exemplars(all_queries: list[Query]) -> Iterator[Violation]:
    durations = [query for query in all_queries if WITH_EXEMPLARS & set(re.findall(r"\w+", query.text))]
    if durations and not any(query.exemplar for query in durations):
        yield "exemplars", "shows durations without a link to their traces", "Switch on Exemplars in one query."


def _query(query: Query) -> Iterator[Violation]:
    try:
        parsed = promql_parser.parse(query.expression)
    except ValueError as error:
        yield "PromQL", f"is not PromQL: {error}", "Try it in Prometheus, and check the names of its variables."
        return
    for window in query.ranges:
        if not window.strip().startswith("$__"):
            remedy = "Use [$__rate_interval], or a recording rule if the window must be fixed."
            yield "range", f"has the fixed range [{window}]", remedy
    if _CONSTANT.search(query.text):
        yield "zero", "replaces a missing metric by a constant", "Use `or 0 * metric` with a metric that always exists."
    if SEEN_AFTER_FAILURE & metric_names(query.expression) and " or 0 * " not in query.text:
        remedy = "Add `or 0 * metric` with a metric that always exists: the value is 0 before the first failure."
        yield "zero", "is empty until something fails", remedy
    for selector in selectors(parsed):
        labels = {matcher.name for matcher in selector.matchers.matchers}
        if selector.name not in WITHOUT_SELECTOR and not SELECTING_LABELS & labels:
            remedy = 'Add namespace="$namespace" or job="...".'
            yield "selector", f"selects {selector.name} of every namespace and job", remedy
