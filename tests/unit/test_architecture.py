"""Which package may import which: a file's folder says it, and these tests hold it."""

import ast
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Locust and gevent change the standard library under whoever imports them.
MONKEYS = {"gevent", "geventhttpclient", "locust"}
# The service and the tool meet only over HTTP, Kubernetes objects, log lines and metrics.
FORBIDDEN = {
    "app": {"drydock", "loadtest", "tests", *MONKEYS},
    "drydock": {"app", "loadtest", "tests", *MONKEYS},
    "loadtest": {"app", "tests"},
}
# The packages of drydock/, lowest first: each imports only itself and those before it.
LAYERS = (
    "core",
    "system",
    "pinned",
    "manifests",
    "requests",
    "judge",
    "cluster",
    "telemetry",
    "timeline",
    "runs",
    "load",
    "judge_client",
    "local",
    "analysis",
    "targets",
    "report",
    "drills",
    "check",
    "dashboards",
    "doctor",
    "cli",
)


def imported(source: str) -> set[str]:
    """The modules that a source imports, anywhere in it; `from a import b` counts as `a` and as `a.b`."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def tops(source: str) -> set[str]:
    """The top-level packages that a source imports."""
    return {name.split(".")[0] for name in imported(source)}


def upward(package: str, source: str) -> set[str]:
    """The packages of drydock/ that a module of `package` imports although they do not stand below it."""
    allowed = {package, *LAYERS[: LAYERS.index(package)]}
    packages = {name.split(".")[1] for name in imported(source) if name.startswith("drydock.")}
    return packages - allowed


def beyond_the_standard_library(source: str) -> set[str]:
    """The modules that a source imports beside the standard library and drydock.requests."""
    return {
        name
        for name in imported(source)
        if name.split(".")[0] not in sys.stdlib_module_names
        and name != "drydock.requests"
        and not name.startswith("drydock.requests.")
    }


def sources(folder: str) -> Iterator[tuple[str, str]]:
    """Each module below a folder, with its text."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield str(path.relative_to(ROOT)), path.read_text()


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_a_folder_imports_nothing_of_its_neighbours(folder: str) -> None:
    trespassers = {path: found for path, text in sources(folder) if (found := tops(text) & FORBIDDEN[folder])}
    assert not trespassers


def test_loadtest_shares_the_vocabulary_of_requests_and_nothing_else_of_drydock() -> None:
    packages = {
        name.split(".")[1] for _, text in sources("loadtest") for name in imported(text) if name.startswith("drydock.")
    }
    assert packages == {"requests"}


@pytest.mark.parametrize("package", LAYERS)
def test_a_package_imports_only_the_packages_below_it(package: str) -> None:
    against_the_order = {
        path: sorted(found) for path, text in sources(f"drydock/{package}") if (found := upward(package, text))
    }
    assert not against_the_order, "each imports a package that stands above its own in LAYERS"


def test_every_package_has_its_place_in_the_order() -> None:
    packages = {path.parent.name for path in (ROOT / "drydock").glob("*/__init__.py")}
    assert packages == set(LAYERS)


def test_no_module_is_loose_at_the_top() -> None:
    assert {path.name for path in (ROOT / "drydock").glob("*.py")} == {"__init__.py", "__main__.py"}


def test_requests_needs_only_the_standard_library() -> None:
    strangers = {
        path: found for path, text in sources("drydock/requests") if (found := beyond_the_standard_library(text))
    }
    assert not strangers


def test_an_import_beyond_the_standard_library_is_found() -> None:
    assert beyond_the_standard_library("import httpx2") == {"httpx2"}
    assert beyond_the_standard_library("from drydock.core.errors import FailedError")
    assert not beyond_the_standard_library("import csv\nfrom drydock.requests.outcome import Outcome")


def test_every_form_of_import_is_seen() -> None:
    source = "import drydock.cli\ndef f():\n    from drydock import doctor\n"
    assert tops(source) == {"drydock"}
    assert tops("import os, app") == {"os", "app"}
    assert upward("core", source) == {"cli", "doctor"}


@pytest.mark.parametrize(("below", "above"), list(pairwise(LAYERS)))
def test_an_import_against_the_order_is_found(below: str, above: str) -> None:
    assert upward(below, f"from drydock.{above}.module import name") == {above}
    assert upward(below, f"if TYPE_CHECKING:\n    from drydock import {above}\n") == {above}
    assert not upward(above, f"from drydock.{below}.module import name")
