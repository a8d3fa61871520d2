"""The patches that drills apply to the Deployment: variants of the service, and negative controls."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from drydock.core.errors import CannotRunError
from drydock.core.project import Project

CONTROLS = Path("k8s") / "controls"
VARIANTS = Path("k8s") / "variants"


def variant(project: Project, name: str) -> Mapping[str, Any]:
    """The variant of the service with this name.

    Raises:
        CannotRunError: the checkout has no such variant.
    """
    path = project.root / VARIANTS / f"{name}.yaml"
    if not path.is_file():
        raise CannotRunError(f"there is no {path}", "Copy it from Drydock's repository and adapt it to your service.")
    return _read(path)


def control(project: Project, name: str) -> Mapping[str, Any]:
    """The negative control with this name in k8s/controls, or the patch in the file of this path.

    Raises:
        CannotRunError: there is neither; the remedy lists the negative controls.
    """
    known = project.root / CONTROLS / f"{name}.yaml"
    path = known if known.is_file() else Path(name)
    if not path.is_file():
        names = ", ".join(sorted(it.stem for it in known.parent.glob("*.yaml")))
        reason = f"there is no negative control {name!r} and no file of that name"
        raise CannotRunError(reason, f"Choose `control`, a patch's file, or one of: {names}")
    return _read(path)


def _read(path: Path) -> Mapping[str, Any]:
    patch = yaml.safe_load(path.read_text())
    if not isinstance(patch, dict) or "spec" not in patch:
        raise CannotRunError(
            f"{path} is not a patch of a Deployment", "Begin it with `spec:`, as those in k8s/controls do."
        )
    return patch
