"""Triggers: what a ScaledObject asks Prometheus for exists, is of callers alone, and is one number."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import promql_parser
from promql_parser import AggregateExpr, BinaryExpr, MatchOp, NumberLiteral, ParenExpr

from drydock.dashboards.queries import selectors
from drydock.manifests.objects import Findings, Object, of_kind

# One side of these decides which elements the result has; of any other operator both sides do.
FILTERS = {"and", "unless"}


def queries(objects: list[Object]) -> Iterator[tuple[str, Any]]:
    """The parsed query of each trigger that asks Prometheus, with where it is."""
    for item in of_kind(objects, "ScaledObject"):
        for trigger in item["spec"]["triggers"]:
            if trigger["type"] == "prometheus":
                where = f"ScaledObject/{item['metadata']['name']}, trigger {trigger['name']}"
                yield where, promql_parser.parse(trigger["metadata"]["query"])


def ask_for_what_is_exported(objects: list[Object], exported: Mapping[str, set[str]], target: set[str]) -> Findings:
    """Each metric is one that the service exports, each label one of its own or of its target."""
    findings = []
    for where, query in queries(objects):
        for selector in selectors(query):
            if selector.name not in exported:
                findings.append(f"{where} asks for {selector.name}, which the service does not export")
                continue
            asked = {matcher.name for matcher in selector.matchers.matchers}
            if unknown := sorted(asked - exported[selector.name] - target):
                findings.append(f"{where} asks for {selector.name} by {unknown}, labels that it does not have")
    return findings


def leave_the_platform_out(objects: list[Object], metric: str, paths: Iterable[str]) -> Findings:
    """Probes and scrapes are no load that more pods would share: each brings its own."""
    findings = []
    for where, query in queries(objects):
        for selector in selectors(query):
            if selector.name == metric:
                findings += [f"{where} counts {path}" for path in paths if not _excluded(path, selector)]
    return findings


def give_one_number(objects: list[Object]) -> Findings:
    """KEDA refuses a result of two elements."""
    return [f"{where} may have more than one result" for where, query in queries(objects) if not _single(query)]


def take_no_answer_for_no_zero(objects: list[Object]) -> Findings:
    """KEDA's default would take an unknown value for a reason to scale in, and a fallback would outvote the others."""
    findings = []
    for item in of_kind(objects, "ScaledObject"):
        name = f"ScaledObject/{item['metadata']['name']}"
        if "fallback" in item["spec"]:
            findings.append(f"{name} has a fallback")
        for trigger in item["spec"]["triggers"]:
            if trigger["type"] == "prometheus" and trigger["metadata"].get("ignoreNullValues") != "false":
                findings.append(f"{name}, trigger {trigger['name']} reads no result as zero")
    return findings


def _excluded(path: str, selector: Any) -> bool:
    return any(
        matcher.name == "handler" and matcher.op == MatchOp.NotRe and re.fullmatch(matcher.value, path)
        for matcher in selector.matchers.matchers
    )


def _single(node: Any) -> bool:
    if isinstance(node, ParenExpr):
        return _single(node.expr)
    if isinstance(node, AggregateExpr):
        return node.modifier is None
    if isinstance(node, BinaryExpr):
        return _single(node.lhs) and (str(node.op) in FILTERS or _single(node.rhs))
    return isinstance(node, NumberLiteral)
