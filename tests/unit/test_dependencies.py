"""pyproject.toml declares what the tool imports: on a person's machine from the wheel, in the cluster from a group."""

import ast
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
OURS = {"drydock", "loadtest"}
# Parts of locust, in the versions that fit it.
BROUGHT_BY_LOCUST = {"gevent", "geventhttpclient"}
# Runs in the cluster only.
IN_THE_CLUSTER = {"loadtest"}


@cache
def distributions() -> dict[str, set[str]]:
    """The distributions that may have brought a top-level package, by their canonical names."""
    return {module: set(map(canonicalize_name, names)) for module, names in packages_distributions().items()}


def requirements(group: str | None) -> set[Requirement]:
    """The requirements of a dependency group and of the groups it includes; of the wheel where `group` is None."""
    if group is None:
        return {Requirement(line) for line in PYPROJECT["project"]["dependencies"]}
    found = set()
    for entry in PYPROJECT["dependency-groups"][group]:
        found |= requirements(entry["include-group"]) if isinstance(entry, dict) else {Requirement(entry)}
    return found


def names(group: str | None) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements(group)}


def sources(*folders: str) -> set[Path]:
    """The Python files below `folders`; a folder that does not exist has none."""
    return {path for folder in folders for path in (ROOT / folder).rglob("*.py")}


def third_party(source: str) -> set[str]:
    """The top-level packages that a module imports and that are neither ours nor the standard library's."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found - OURS - sys.stdlib_module_names


def undeclared(paths: set[Path], declared: set[str]) -> set[tuple[str, str]]:
    """Each file with a package that it imports and that no distribution of `declared` brings."""
    return {
        (path.relative_to(ROOT).as_posix(), module)
        for path in paths
        for module in third_party(path.read_text()) - BROUGHT_BY_LOCUST
        if not distributions().get(module, {module}) & declared
    }


@pytest.mark.parametrize(
    ("paths", "group"),
    [
        pytest.param(sources("drydock"), None, id="wheel"),
        pytest.param(sources("drydock/judge", "drydock/requests", *IN_THE_CLUSTER), "instrument", id="instrument"),
    ],
)
def test_what_is_imported_is_declared(paths: set[Path], group: str | None) -> None:
    assert not undeclared(paths, names(group))


def test_the_wheel_declares_nothing_that_it_does_not_import() -> None:
    imported = {module for path in sources("drydock") for module in third_party(path.read_text())}

    assert not names(None) - set[str]().union(*(distributions().get(module, set()) for module in imported))


def test_a_requirement_is_the_same_wherever_it_is_stated() -> None:
    stated: dict[str, set[str]] = {}
    for group in (None, *PYPROJECT["dependency-groups"]):
        for requirement in requirements(group):
            stated.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))

    assert {name: bounds for name, bounds in stated.items() if len(bounds) > 1} == {}


def test_an_undeclared_import_is_found() -> None:
    source = "import os, yaml\nfrom rich.table import Table\nfrom . import x\ndef f():\n    import drydock.cli\n"
    assert third_party(source) == {"yaml", "rich"}
    assert undeclared({ROOT / "drydock" / "__main__.py", Path(__file__)}, set()) == {
        ("tests/unit/test_dependencies.py", "packaging"),
        ("tests/unit/test_dependencies.py", "pytest"),
    }
