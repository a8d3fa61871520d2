"""The reloader of dev mode: an edit takes effect, and a broken edit keeps the old code serving."""

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
    """A copy of the service that the test edits."""
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_an_edit_takes_effect_and_a_broken_one_keeps_the_old_code_serving(checkout: Path) -> None:
    main = checkout / "app" / "main.py"
    original = main.read_text()
    with reloading(checkout) as url:
        poll_until(lambda: title(url) == "Shop", "the first start", seconds=30)

        main.write_text(original.replace('title="Shop"', 'title="Edited"'))
        poll_until(lambda: title(url) == "Edited", "the edit to take effect", seconds=30)

        main.write_text(original.replace('title="Shop"', "title="))
        output = checkout / "output"
        poll_until(lambda: "The previous version keeps serving." in output.read_text(), "the broken edit to fail")
        assert title(url) == "Edited"

        main.write_text(original.replace('title="Shop"', 'title="Fixed"'))
        poll_until(lambda: title(url) == "Fixed", "the fix to take effect", seconds=30)


@contextlib.contextmanager
def reloading(checkout: Path) -> Iterator[str]:
    """The reloader on a free port; it ends with 0 on SIGTERM."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        # No database listens there: this test needs none.
        "DATABASE_URL": f"postgresql://nobody:nothing@127.0.0.1:{free_port()}/none",
        "DRAIN_SECONDS": "0",
        # As in the image. Python detects stale bytecode by the source's mtime in seconds and its size, and these edits
        # may change neither.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    script = f"from app.reload import main; main(port={port})"
    with (checkout / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", script], cwd=checkout, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def title(url: str) -> str | None:
    """The title in the OpenAPI document. None if there is no response."""
    try:
        return str(httpx2.get(f"{url}/openapi.json", timeout=5).json()["info"]["title"])
    except httpx2.HTTPError:
        return None
