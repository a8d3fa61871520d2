"""A new dashboard: every convention, and one panel to start from."""

import re
from typing import Any

from drydock.core.errors import FailedError
from drydock.dashboards.conventions import PROMETHEUS, frame
from drydock.dashboards.document import Dashboard

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def scaffold(name: str) -> Dashboard:
    """The dashboard `name`, which passes the linter as it is.

    Raises:
        FailedError: `name` is no uid for Grafana and no name for a file.
    """
    if not NAME.fullmatch(name):
        remedy = "Use small letters, digits and dashes, 40 at most, a letter first: drydock dashboards new order-book"
        raise FailedError(f"{name!r} cannot be a dashboard's name", remedy)
    title = name.replace("-", " ").capitalize()
    return {**frame(name, title, f"{title}: the question that this dashboard answers."), "panels": [_panel()]}


def _panel() -> dict[str, Any]:
    rate = 'sum by (pod) (rate(http_requests_total{namespace="$namespace", job="$service"}[$__rate_interval]))'
    return {
        "id": 1,
        "title": "Requests by pod",
        "description": "What each pod answers; all of them should have a share.\n\n"
        "When one has none, it is not ready, or clients keep their connections to the others.",
        "type": "timeseries",
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
        "datasource": dict(PROMETHEUS),
        "targets": [{"refId": "A", "expr": rate, "legendFormat": "{{pod}}"}],
        "fieldConfig": {"defaults": {"unit": "reqps", "min": 0}},
        "options": {"tooltip": {"mode": "multi", "sort": "desc"}},
    }
