"""A new dashboard: follows every convention, and has one panel to start from."""

import re
from typing import Any

from drydock.core.errors import FailedError
from drydock.dashboards.conventions import PROMETHEUS, frame
from drydock.dashboards.document import Dashboard

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def scaffold(name: str) -> Dashboard:
    """A new dashboard with the uid `name`. It passes the linter.

    Raises:
        FailedError: `name` is not valid as a uid of Grafana and as a file name.
    """
    if not NAME.fullmatch(name):
        remedy = (
            "Begin with a letter; use lowercase letters, digits and dashes, at most 40 characters:"
            " drydock dashboards new order-book"
        )
        raise FailedError(f"{name!r} is not valid as the name of a dashboard", remedy)
    title = name.replace("-", " ").capitalize()
    return {**frame(name, title, f"{title}: the question that this dashboard answers."), "panels": [_panel()]}


def _panel() -> dict[str, Any]:
    rate = 'sum by (pod) (rate(http_requests_total{namespace="$namespace", job="$service"}[$__rate_interval]))'
    return {
        "id": 1,
        "title": "Requests by pod",
        "description": "The requests that each pod answers. Every pod should have a share.\n\n"
        "When a pod has none, check that it is ready, and that clients do not keep connections to the others only.",
        "type": "timeseries",
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
        "datasource": dict(PROMETHEUS),
        "targets": [{"refId": "A", "expr": rate, "legendFormat": "{{pod}}"}],
        "fieldConfig": {"defaults": {"unit": "reqps", "min": 0}},
        "options": {"tooltip": {"mode": "multi", "sort": "desc"}},
    }
