"""Which room may import which: the service and the instrument meet only over HTTP, Kubernetes, logs and metrics."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Locust and gevent change the standard library under whoever imports them.
MONKEYS = {"gevent", "geventhttpclient", "locust"}
FORBIDDEN = {
    "app": {"drydock", "loadtest", "tests", *MONKEYS},
    "drydock": {"app", "loadtest", "tests", *MONKEYS},
    "loadtest": {"app", "drydock", "tests"},
}


def imported(source: str) -> set[str]:
    """The top-level packages that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_imports_nothing_of_its_neighbours(room: str) -> None:
    trespassers = {
        str(path.relative_to(ROOT)): sorted(found)
        for path in (ROOT / room).rglob("*.py")
        if (found := imported(path.read_text()) & FORBIDDEN[room])
    }
    assert not trespassers


def test_the_check_sees_every_form_of_import() -> None:
    source = "import drydock.cli\ndef f():\n    from drydock import doctor\n"
    assert imported(source) == {"drydock"}
    assert imported("import os, app") == {"os", "app"}
