"""The normal form of a dashboard: without the values that Grafana adds at a save, and with its keys in one order."""

from typing import Any

from drydock.dashboards import defaults
from drydock.dashboards.defaults import Defaults

# The identity first, then the content, then the style. Other keys follow in alphabetical order.
ORDER = {
    key: place
    for place, key in enumerate(
        (
            *("id", "refId", "uid", "title", "name", "label", "description", "type"),
            *("tags", "links", "time", "from", "to", "refresh", "graphTooltip", "schemaVersion"),
            *("templating", "annotations", "list", "panels"),
            *("x", "y", "w", "h", "gridPos", "datasource", "query"),
            *("expr", "legendFormat", "targets"),
            *("unit", "decimals", "min", "max", "mode", "steps", "thresholds", "custom"),
            *("matcher", "properties", "defaults", "overrides", "fieldConfig", "options"),
        )
    )
}


def normalise(dashboard: dict[str, Any]) -> dict[str, Any]:
    """The normal form of `dashboard`, which itself is not modified. Both show the same in Grafana."""
    left = _pruned(dashboard, defaults.DASHBOARD, defaults.VOLATILE["dashboard"])
    _each(left, "templating", _variable)
    _each(left, "annotations", _annotation)
    if "links" in left:
        left["links"] = [_pruned(link, defaults.LINK) for link in left["links"]]
    if "panels" in left:
        left["panels"] = [_panel(panel) for panel in left["panels"]]
    ordered: dict[str, Any] = _ordered(left)
    return ordered


def _each(dashboard: dict[str, Any], key: str, form: Any) -> None:
    if key in dashboard:
        dashboard[key] = {**dashboard[key], "list": [form(item) for item in dashboard[key].get("list") or []]}


def _variable(variable: dict[str, Any]) -> dict[str, Any]:
    left = _pruned(variable, defaults.VARIABLE, defaults.VOLATILE["variable"])
    if left.get("type") == "datasource":
        left.pop("refresh", None)  # Grafana always knows its data sources, so this has no effect
    query = left.get("query")
    # Grafana's editor wraps the query in an object with a generated name and a kind.
    if isinstance(query, dict) and isinstance(query.get("query"), str):
        left["query"] = query["query"]
    return left


def _annotation(annotation: dict[str, Any]) -> dict[str, Any]:
    return _pruned(annotation, defaults.ANNOTATION)


def _panel(panel: dict[str, Any]) -> dict[str, Any]:
    left = _pruned(panel, defaults.PANEL, defaults.VOLATILE["panel"])
    kind = str(left.get("type"))
    if "panels" in left:
        left["panels"] = [_panel(inner) for inner in left["panels"]]
    if "targets" in left:
        left["targets"] = [_target(target, left.get("datasource")) for target in left["targets"]]
    if "options" in left:
        _keep(left, "options", _pruned(left["options"], defaults.OPTIONS.get(kind, {}), inside=True))
    if "fieldConfig" in left:
        _keep(left, "fieldConfig", _field_config(left["fieldConfig"], kind))
    return left


def _target(target: dict[str, Any], datasource: Any) -> dict[str, Any]:
    """A query without the data source of its panel, and without the legend `__auto`, which means none."""
    left = _pruned(target, defaults.TARGET)
    if left.get("datasource") == datasource:
        left.pop("datasource", None)
    if left.get("legendFormat") == "__auto":
        del left["legendFormat"]
    return left


def _field_config(config: dict[str, Any], kind: str) -> dict[str, Any]:
    left = {key: value for key, value in config.items() if value}
    field = dict(left.get("defaults") or {})
    if "thresholds" in field:
        field["thresholds"] = _thresholds(field["thresholds"])
    field = _pruned(field, {**defaults.FIELD, "color": defaults.COLOR.get(kind)})
    if "custom" in field:
        _keep(field, "custom", _pruned(field["custom"], defaults.CUSTOM.get(kind, {})))
    _keep(left, "defaults", field)
    return left


def _thresholds(thresholds: dict[str, Any]) -> dict[str, Any]:
    """The first step starts at minus infinity. Old Grafanas write null for it and new ones 0; none reads the value."""
    first, *others = thresholds.get("steps") or [{}]
    return {**thresholds, "steps": [{**first, "value": None}, *others]}


def _keep(parent: dict[str, Any], key: str, value: dict[str, Any]) -> None:
    if value:
        parent[key] = value
    else:
        parent.pop(key, None)


def _pruned(
    value: dict[str, Any], assumed: Defaults, volatile: frozenset[str] = frozenset(), *, inside: bool = False
) -> dict[str, Any]:
    """`value` without the keys in `volatile` and without values that are the default in `assumed`.

    With `inside`, the same for nested objects. Grafana fills in nested defaults only in the options of a panel.
    """
    left: dict[str, Any] = {}
    for key, item in value.items():
        if key in volatile or (key in assumed and _is(item, assumed[key])):
            continue
        if inside and isinstance(item, dict) and isinstance(assumed.get(key), dict):
            _keep(left, key, _pruned(item, assumed[key], inside=True))
        else:
            left[key] = item
    return left


def _is(item: Any, assumed: Any) -> bool:
    """Whether `item` is the default `assumed`. A tuple has several forms of one default."""
    if isinstance(assumed, tuple):
        return item in assumed
    return bool(item == assumed and isinstance(item, bool) == isinstance(assumed, bool))


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    if not isinstance(value, dict):
        return value
    keys = sorted(value, key=lambda key: (ORDER.get(key, len(ORDER)), key))
    return {key: _ordered(value[key]) for key in keys}
