"""A dashboard as a file: classic Grafana JSON in one fixed form, so that a diff shows what a person changed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drydock.core.errors import CannotRunError
from drydock.dashboards.normal import normalise

Dashboard = dict[str, Any]
Panel = dict[str, Any]

FOLDER = Path("observability", "grafana", "dashboards")


def files(root: Path) -> dict[str, Path]:
    """The dashboards of the checkout at `root`: uid to file. A file is named after its dashboard's uid."""
    return {path.stem: path for path in sorted((root / FOLDER).glob("*.json"))}


def read(path: Path) -> Dashboard:
    """The dashboard in `path`.

    Raises:
        CannotRunError: the file is no JSON object.
    """
    try:
        document = json.loads(path.read_text())
    except ValueError as error:
        remedy = f"Correct it, or take the last good one: git checkout -- {path}"
        raise CannotRunError(f"{path} is not JSON: {error}", remedy) from error
    if not isinstance(document, dict):
        raise CannotRunError(f"{path} is not a dashboard: it holds no JSON object", "Export it from Grafana again.")
    return document


def text(dashboard: Dashboard) -> str:
    """What the file of `dashboard` says: the normal form, two spaces a level, a newline at the end."""
    return json.dumps(normalise(dashboard), indent=2, ensure_ascii=False) + "\n"


def panels(dashboard: Dashboard) -> Iterator[Panel]:
    """Every panel that shows something, also those inside collapsed rows."""
    for panel in dashboard.get("panels") or []:
        if panel.get("type") == "row":
            yield from panels(panel)
        else:
            yield panel
