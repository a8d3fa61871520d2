"""The boundaries of drydock: it does not import the service, and the Makefile lists its commands."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMANDS = ["up", "down", "status", "doctor", "test", "e2e", "check", "bench", "lint"]
SOURCES = sorted((ROOT / "drydock").rglob("*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_drydock_never_imports_app(source: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])

    assert "app" not in imported


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_every_command() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert [command for command in COMMANDS if not re.search(rf"make {command} +\S", listed)] == []


def test_uv_has_one_pinned_version() -> None:
    pinned = re.findall(r"^uv==(\S+)", (ROOT / "drydock" / "pinned" / "uv.txt").read_text(), re.MULTILINE)

    assert len(pinned) == 1
    assert f"ghcr.io/astral-sh/uv:{pinned[0]}" in (ROOT / "Dockerfile").read_text()
