"""The PromQL of a dashboard as Grafana sends it, for the linter and for tests against Prometheus."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser

from drydock.core.project import Workload
from drydock.dashboards.document import Dashboard, Panel, panels

# A value for each variable, for parsing an expression.
ANY: Mapping[str, str] = {"datasource": "prometheus", "namespace": "any", "service": "any"}

# `timeInterval` of Grafana's Prometheus data source, in seconds. $__rate_interval is at least four times as long.
SCRAPE_SECONDS = 5
RANGE_SECONDS = 1800  # the initial time range of a dashboard

# Metrics whose first sample is the first failure. A healthy system does not have them.
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
    """A PromQL expression of a dashboard: `text` is the original, `expression` has values instead of variables."""

    dashboard: str
    panel: str
    ref: str
    text: str
    expression: str
    exemplar: bool = False

    @property
    def ranges(self) -> list[str]:
        """The windows in square brackets, as in rate(). The character classes of a regex do not count."""
        return re.findall(r"\[([^]]*)\]", _QUOTED.sub("", self.text))


def choices_of(workload: Workload) -> dict[str, str]:
    """The choices that show a project's own service."""
    return {"datasource": "prometheus", "namespace": workload.namespace, "service": workload.service}


def queries(dashboard: Dashboard, choices: Mapping[str, str] = ANY) -> list[Query]:
    """The queries of every panel, with `choices` as the values of the variables."""
    return [query for panel in panels(dashboard) for query in panel_queries(dashboard, panel, choices)]


def panel_queries(dashboard: Dashboard, panel: Panel, choices: Mapping[str, str] = ANY) -> list[Query]:
    """The queries of one panel."""
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
    """`text` with the values of Grafana's variables. An unknown variable stays and makes the expression invalid."""
    values = {
        **choices,
        "__rate_interval": f"{4 * step_seconds:.0f}s",
        "__interval": f"{step_seconds:.0f}s",
        "__range": f"{RANGE_SECONDS}s",
    }
    return _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), text)


def metrics_used(dashboard: Dashboard) -> set[str]:
    """The names of all metrics in the panels, annotations and variables of `dashboard`.

    Raises:
        ValueError: an expression is not PromQL. The linter finds it.
    """
    expressions = [query.expression for query in queries(dashboard)]
    expressions += [substitute(text) for text in (*_annotations(dashboard), *_variables(dashboard))]
    return {name for expression in expressions for name in metric_names(expression)}


def metric_names(expression: str) -> set[str]:
    """The metrics that `expression` selects. Raises ValueError if it is not PromQL."""
    return {selector.name for selector in selectors(promql_parser.parse(expression)) if selector.name}


def selectors(node: Any) -> Iterator[Any]:
    """Every vector selector in the parsed expression `node`, in the order of the text."""
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
    """The minimum interval of a query in seconds: its own, its panel's, or the scrape interval."""
    interval = target.get("interval") or panel.get("interval") or ""
    match = re.fullmatch(r"(\d+)(ms|s|m|h)", interval)
    return int(match[1]) * _SECONDS[match[2]] if match else SCRAPE_SECONDS
