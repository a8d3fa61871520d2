"""The values that Grafana adds when it saves a dashboard: volatile fields, and the defaults of absent fields."""

from collections.abc import Mapping
from typing import Any

Defaults = Mapping[str, Any]

# Written at every save. They describe one Grafana's database or one user's last visit, not the dashboard.
VOLATILE: Mapping[str, frozenset[str]] = {
    "dashboard": frozenset({"id", "version", "iteration", "gnetId", "__inputs", "__requires", "__elements"}),
    "panel": frozenset({"pluginVersion"}),
    "variable": frozenset({"current", "options", "definition"}),
}

DASHBOARD: Defaults = {
    "annotations": {"list": []},
    "description": "",
    "editable": True,
    "fiscalYearStartMonth": 0,
    "graphTooltip": 0,
    "links": [],
    "liveNow": False,
    "preload": False,
    "refresh": "",
    "style": "dark",
    "templating": {"list": []},
    "timepicker": {},
    "timezone": ("browser", ""),
    "weekStart": "",
}

VARIABLE: Defaults = {
    "allowCustomValue": True,
    "allValue": ("", None),
    "description": ("", None),
    "hide": 0,
    "includeAll": False,
    "multi": False,
    "regex": "",
    "regexApplyTo": "value",
    "skipUrlSync": False,
    "sort": 0,
}

ANNOTATION: Defaults = {"builtIn": 0, "hide": False, "placement": "inControlsMenu", "tagKeys": ""}

LINK: Defaults = {
    "asDropdown": False,
    "icon": "external link",
    "includeVars": False,
    "keepTime": False,
    "placement": "inControlsMenu",
    "tags": [],
    "targetBlank": False,
    "tooltip": "",
    "url": "",
}

TARGET: Defaults = {
    "editorMode": ("code", "builder"),
    "exemplar": False,
    "format": "time_series",
    "hide": False,
    "instant": False,
    "interval": "",
    "intervalFactor": 1,
    "legendFormat": "",
    "range": True,
}

PANEL: Defaults = {
    "description": "",
    "links": [],
    "repeatDirection": "h",
    "transformations": [],
    "transparent": False,
}

FIELD: Defaults = {
    "links": [],
    "mappings": [],
    "thresholds": {"mode": "absolute", "steps": [{"color": "green", "value": None}, {"color": "red", "value": 80}]},
}

_HIDE_FROM = {"legend": False, "tooltip": False, "viz": False}
_LEGEND = {
    "calcs": [],
    "displayMode": "list",
    "enableFacetedFilter": False,
    "overflow": "ellipsis",
    "placement": "bottom",
    "showLegend": True,
}
_TOOLTIP = {"hideZeros": False, "mode": "single", "sort": "none"}
_ANNOTATIONS = {"clustering": -1, "lines": {"width": 2}, "multiLane": False, "regions": {"opacity": 0.1}}

# By panel type: `fieldConfig.defaults.color`, `options`, and `fieldConfig.defaults.custom`.
COLOR: Mapping[str, Defaults] = {
    "timeseries": {"mode": "palette-classic"},
    "stat": {"mode": "thresholds"},
    "state-timeline": {"mode": "continuous-GrYlRd"},
}

OPTIONS: Mapping[str, Defaults] = {
    "timeseries": {"annotations": _ANNOTATIONS, "legend": _LEGEND, "tooltip": _TOOLTIP},
    "stat": {
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    },
    "heatmap": {
        "annotations": _ANNOTATIONS,
        "calculate": False,
        "cellGap": 1,
        "cellRadius": 0,
        "cellValues": {},
        "color": {
            "exponent": 0.5,
            "fill": "dark-orange",
            "mode": "scheme",
            "reverse": False,
            "scale": "exponential",
            "scheme": "Oranges",
            "steps": 64,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "selectionMode": "x",
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False},
    },
    "state-timeline": {
        "alignValue": "left",
        "annotations": _ANNOTATIONS,
        "legend": _LEGEND,
        "mergeValues": True,
        "rowHeight": 0.9,
        "showValue": "auto",
        "tooltip": _TOOLTIP,
    },
}

CUSTOM: Mapping[str, Defaults] = {
    "timeseries": {
        "axisBorderShow": False,
        "axisCenteredZero": False,
        "axisColorMode": "text",
        "axisLabel": "",
        "axisPlacement": "auto",
        "barAlignment": 0,
        "barWidthFactor": 0.6,
        "drawStyle": "line",
        "fillOpacity": 0,
        "gradientMode": "none",
        "hideFrom": _HIDE_FROM,
        "insertNulls": False,
        "lineInterpolation": "linear",
        "lineStyle": {"fill": "solid"},
        "lineWidth": 1,
        "pointSize": 5,
        "scaleDistribution": {"type": "linear"},
        "showPoints": "auto",
        "showValues": False,
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "none"},
        "thresholdsStyle": {"mode": "off"},
    },
    "heatmap": {"hideFrom": _HIDE_FROM, "scaleDistribution": {"type": "linear"}},
    "state-timeline": {
        "axisPlacement": "auto",
        "fillOpacity": 70,
        "hideFrom": _HIDE_FROM,
        "insertNulls": False,
        "lineWidth": 0,
        "spanNulls": False,
    },
}
