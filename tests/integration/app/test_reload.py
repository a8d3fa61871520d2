"""The reload of dev mode: an edit shows, a broken one leaves the old code serving."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.integration.app.service import ROOT, free_port
from tests.polling import poll_until


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the service, to be edited."""
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_an_edit_shows_and_a_broken_one_leaves_the_old_code_serving(checkout: Path) -> None:
    main = checkout / "app" / "main.py"
    original = main.read_text()
    with reloading(checkout) as url:
        poll_until(lambda: title(url) == "Shop", "the first start", seconds=30)

        main.write_text(original.replace('title="Shop"', 'title="Edited"'))
        poll_until(lambda: title(url) == "Edited", "the edit to show", seconds=30)

        main.write_text(original.replace('title="Shop"', "title="))
        said = checkout / "said"
        poll_until(lambda: "The old one goes on serving." in said.read_text(), "the broken edit to be noticed")
        assert title(url) == "Edited"

        main.write_text(original.replace('title="Shop"', 'title="Mended"'))
        poll_until(lambda: title(url) == "Mended", "the mended code to show", seconds=30)


@contextlib.contextmanager
def reloading(checkout: Path) -> Iterator[str]:
    """The reloader on a free port; it ends with 0 on SIGTERM."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        # Nobody listens there: this test needs no database.
        "DATABASE_URL": f"postgresql://nobody:nothing@127.0.0.1:{free_port()}/none",
        "DRAIN_SECONDS": "0",
        # As in the image. Bytecode is told apart by second and size, and these edits have the same of both.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    script = f"from app.reload import main; main(port={port})"
    with (checkout / "said").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", script], cwd=checkout, env=environment, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def title(url: str) -> str | None:
    """The title in the OpenAPI document, or None without an answer."""
    try:
        return str(httpx2.get(f"{url}/openapi.json", timeout=5).json()["info"]["title"])
    except httpx2.HTTPError:
        return None
