"""A dashboard as a file: classic Grafana JSON in a normal form, so that a diff shows only the user's changes."""

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
    """The dashboard files of the checkout at `root` by uid. The name of a file is the uid of its dashboard."""
    return {path.stem: path for path in sorted((root / FOLDER).glob("*.json"))}


def read(path: Path) -> Dashboard:
    """The dashboard in `path`.

    Raises:
        CannotRunError: the file is not a JSON object.
    """
    try:
        document = json.loads(path.read_text())
    except ValueError as error:
        remedy = f"Correct it, or restore the last commit: git checkout -- {path}"
        raise CannotRunError(f"{path} is not JSON: {error}", remedy) from error
    if not isinstance(document, dict):
        raise CannotRunError(f"{path} is not a dashboard: it is not a JSON object", "Export it from Grafana again.")
    return document


def text(dashboard: Dashboard) -> str:
    """The file content of `dashboard`: its normal form, indented by two spaces, with a newline at the end."""
    return json.dumps(normalise(dashboard), indent=2, ensure_ascii=False) + "\n"


def panels(dashboard: Dashboard) -> Iterator[Panel]:
    """Every panel, including those in collapsed rows, without the rows themselves."""
    for panel in dashboard.get("panels") or []:
        if panel.get("type") == "row":
            yield from panels(panel)
        else:
            yield panel
