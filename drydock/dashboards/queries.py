"""The PromQL of a dashboard, as Grafana would send it: what a linter parses and what a test asks Prometheus."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser

from drydock.core.project import Workload
from drydock.dashboards.document import Dashboard, Panel, panels

# A value for each variable, where only the form of an expression counts.
ANY: Mapping[str, str] = {"datasource": "prometheus", "namespace": "any", "service": "any"}

# `timeInterval` of Grafana's Prometheus data source, in seconds: $__rate_interval is at least four of it.
SCRAPE_SECONDS = 5
RANGE_SECONDS = 1800  # what a dashboard shows at first

# Their first sample is the first failure: a healthy system does not have them.
SEEN_AFTER_FAILURE = frozenset(
    {
        "database_unavailable_total",
        "kube_pod_deletion_timestamp",
        "otelcol_exporter_enqueue_failed_spans",
        "otelcol_exporter_send_failed_spans",
    }
)

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABEL_VALUES = re.compile(r"label_values\((.+),\s*\w+\)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Query:
    """One PromQL expression of a dashboard: `text` as it stands there, `expression` with the variables filled in."""

    dashboard: str
    panel: str
    ref: str
    text: str
    expression: str
    exemplar: bool = False

    @property
    def ranges(self) -> list[str]:
        """What stands in square brackets: the windows of rate() and its like, not the character classes of a regex."""
        return re.findall(r"\[([^]]*)\]", _QUOTED.sub("", self.text))


def choices_of(workload: Workload) -> dict[str, str]:
    """The choices that show a project's own service."""
    return {"datasource": "prometheus", "namespace": workload.namespace, "service": workload.service}


def queries(dashboard: Dashboard, choices: Mapping[str, str] = ANY) -> list[Query]:
    """The expressions of every panel, ready to be sent to Prometheus with `choices` made."""
    return [query for panel in panels(dashboard) for query in panel_queries(dashboard, panel, choices)]


def panel_queries(dashboard: Dashboard, panel: Panel, choices: Mapping[str, str] = ANY) -> list[Query]:
    """The expressions of one panel."""
    uid, title = str(dashboard.get("uid")), str(panel.get("title"))
    return [
        Query(
            uid,
            title,
            str(target.get("refId")),
            target["expr"],
            substitute(target["expr"], choices, _step_seconds(target, panel)),
            bool(target.get("exemplar")),
        )
        for target in panel.get("targets") or []
        if "expr" in target
    ]


def substitute(text: str, choices: Mapping[str, str] = ANY, step_seconds: float = SCRAPE_SECONDS) -> str:
    """`text` with Grafana's variables filled in; one that is unknown stays, and makes the expression unreadable."""
    values = {
        **choices,
        "__rate_interval": f"{4 * step_seconds:.0f}s",
        "__interval": f"{step_seconds:.0f}s",
        "__range": f"{RANGE_SECONDS}s",
    }
    return _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), text)


def metrics_used(dashboard: Dashboard) -> set[str]:
    """The names of all metrics that the panels, annotations and variables of `dashboard` ask for.

    Raises:
        ValueError: an expression is no PromQL; the linter says which.
    """
    expressions = [query.expression for query in queries(dashboard)]
    expressions += [substitute(text) for text in (*_annotations(dashboard), *_variables(dashboard))]
    return {name for expression in expressions for name in metric_names(expression)}


def metric_names(expression: str) -> set[str]:
    """The metrics that `expression` selects; ValueError where it is no PromQL."""
    return {selector.name for selector in selectors(promql_parser.parse(expression)) if selector.name}


def selectors(node: Any) -> Iterator[Any]:
    """Every vector selector below `node` of a parsed expression, in the order of the text."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    elif isinstance(node, promql_parser.MatrixSelector):
        yield node.vector_selector
    else:
        for part in ("lhs", "rhs", "expr", "param"):
            if (child := getattr(node, part, None)) is not None:
                yield from selectors(child)
        for argument in getattr(node, "args", None) or []:
            yield from selectors(argument)


def _annotations(dashboard: Dashboard) -> Iterator[str]:
    for annotation in dashboard.get("annotations", {}).get("list", []):
        if "expr" in annotation:
            yield annotation["expr"]


def _variables(dashboard: Dashboard) -> Iterator[str]:
    for variable in dashboard.get("templating", {}).get("list", []):
        if match := _LABEL_VALUES.fullmatch(str(variable.get("query"))):
            yield match[1]


def _step_seconds(target: Mapping[str, Any], panel: Panel) -> float:
    """The least distance of two points in seconds: the query's or panel's own, or that of the scrapes."""
    interval = target.get("interval") or panel.get("interval") or ""
    match = re.fullmatch(r"(\d+)(ms|s|m|h)", interval)
    return int(match[1]) * _SECONDS[match[2]] if match else SCRAPE_SECONDS
