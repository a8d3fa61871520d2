"""The wheel: what `pip install` of it gives, in an environment that holds nothing else and far from any checkout."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# `uv run` names itself in UV.
UV = os.environ.get("UV") or shutil.which("uv")

pytestmark = pytest.mark.skipif(UV is None, reason="uv is not known: run `make test`, or put uv on PATH")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    uv("build", "--wheel", "--out-dir", str(tmp_path / "dist"))
    (built,) = (tmp_path / "dist").glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_package_and_none_of_the_service(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if ".dist-info/" not in name}

    package = {path for path in (ROOT / "drydock").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert held == {path.relative_to(ROOT).as_posix() for path in package}
    assert {Path(name).suffix for name in held} >= {".py", ".j2", ".txt"}


@pytest.mark.slow
def test_an_installed_wheel_runs_its_command_anywhere(wheel: Path, tmp_path: Path) -> None:
    environment, elsewhere = tmp_path / "environment", tmp_path / "elsewhere"
    elsewhere.mkdir()
    # The declared dependencies, as uv.lock has them, and the wheel beside them: what it does not declare is not there.
    only_declared = ["sync", "--locked", "--no-default-groups", "--no-install-project"]
    uv(*only_declared, variables={"UV_PROJECT_ENVIRONMENT": str(environment)})
    uv("pip", "install", "--no-deps", "--python", str(environment), str(wheel))

    def drydock(*arguments: str) -> str:
        bare = {"PATH": os.defpath, "HOME": str(elsewhere), "COLUMNS": "200"}
        command = [str(environment / "bin" / "drydock"), *arguments]
        done = subprocess.run(command, cwd=elsewhere, env=bare, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert drydock("--version") == f"drydock {version('drydock')}\n"
    assert "Usage: drydock check" in drydock("check", "--help")
    assert "drill" in drydock("--help")


def uv(*arguments: str, variables: Mapping[str, str] | None = None) -> None:
    """Runs uv on this checkout: from its cache alone where that is enough, and otherwise with the network."""
    for offline in (["--offline"], []):
        command = [str(UV), *arguments, *offline]
        environment = {**os.environ, **(variables or {})}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
    pytest.fail(f"uv {arguments[0]}: {done.stderr}")
