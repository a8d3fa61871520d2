from pathlib import Path

import pytest


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, with nothing in it yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("DRYDOCK_CACHE", str(folder))
    return folder
