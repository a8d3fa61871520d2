"""The conventions of all dashboards: their variables, annotations and links."""

from collections.abc import Mapping
from typing import Any

TAG = "drydock"
SCHEMA_VERSION = 42  # of classic dashboards; Grafana 13 writes it

PROMETHEUS: Mapping[str, str] = {"type": "prometheus", "uid": "${datasource}"}
GRAFANA: Mapping[str, str] = {"type": "grafana", "uid": "-- Grafana --"}

# The same names on every dashboard, so that a link to another one keeps the selected values.
VARIABLES: tuple[Mapping[str, Any], ...] = (
    {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
    {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": PROMETHEUS,
        "query": "label_values(http_requests_in_flight, namespace)",
        "refresh": 2,
        "sort": 1,
    },
    {
        "name": "service",
        "label": "Service",
        "type": "query",
        "datasource": PROMETHEUS,
        "query": 'label_values(http_requests_in_flight{namespace="$namespace"}, job)',
        "refresh": 2,
        "sort": 1,
    },
)

ANNOTATIONS: tuple[Mapping[str, Any], ...] = (
    {
        "name": "Annotations & Alerts",
        "type": "dashboard",
        "datasource": GRAFANA,
        "builtIn": 1,
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
    },
    # A rollout creates a ReplicaSet, whose creation time is the time of the annotation. Grafana expects milliseconds.
    {
        "name": "Deploys",
        "datasource": PROMETHEUS,
        "enable": True,
        "expr": 'kube_replicaset_created{namespace="$namespace"} * 1000',
        "iconColor": "blue",
        "step": "10s",
        "textFormat": "{{replicaset}}",
        "titleFormat": "Deploy",
        "useValueForTime": True,
    },
    {
        "name": "Drills",
        "datasource": GRAFANA,
        "enable": True,
        "iconColor": "purple",
        "target": {"limit": 100, "matchAny": False, "tags": ["drill"], "type": "tags"},
    },
)

LINKS: tuple[Mapping[str, Any], ...] = (
    {"title": "Dashboards", "type": "dashboards", "tags": [TAG], "includeVars": True, "keepTime": True},
)


def frame(uid: str, title: str, description: str) -> dict[str, Any]:
    """A dashboard without panels that follows every convention."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": [TAG],
        "links": list(LINKS),
        "time": {"from": "now-30m", "to": "now"},
        "refresh": "5s",
        "graphTooltip": 1,
        "schemaVersion": SCHEMA_VERSION,
        "templating": {"list": list(VARIABLES)},
        "annotations": {"list": list(ANNOTATIONS)},
        "panels": [],
    }
