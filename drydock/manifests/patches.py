"""The patches of the Deployment that drills lay over it: variants of the service, and negative controls."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from drydock.core.errors import CannotRunError
from drydock.core.project import Project

CONTROLS = Path("k8s") / "controls"
VARIANTS = Path("k8s") / "variants"


def variant(project: Project, name: str) -> Mapping[str, Any]:
    """A variant of the service that a drill needs.

    Raises:
        CannotRunError: the checkout has none of this name.
    """
    path = project.root / VARIANTS / f"{name}.yaml"
    if not path.is_file():
        raise CannotRunError(f"there is no {path}", "Take it from Drydock's repository, and fit it to your service.")
    return _read(path)


def control(project: Project, name: str) -> Mapping[str, Any]:
    """A negative control of k8s/controls by its name, or any patch by the path of its file.

    Raises:
        CannotRunError: there is none; the remedy names those that there are.
    """
    known = project.root / CONTROLS / f"{name}.yaml"
    path = known if known.is_file() else Path(name)
    if not path.is_file():
        names = ", ".join(sorted(it.stem for it in known.parent.glob("*.yaml")))
        reason = f"there is no negative control {name!r}, and no such file"
        raise CannotRunError(reason, f"Choose `control`, a patch's file, or one of: {names}")
    return _read(path)


def _read(path: Path) -> Mapping[str, Any]:
    patch = yaml.safe_load(path.read_text())
    if not isinstance(patch, dict) or "spec" not in patch:
        raise CannotRunError(
            f"{path} is not a patch of a Deployment", "Begin it with `spec:`, as those in k8s/controls do."
        )
    return patch
