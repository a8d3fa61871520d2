"""A checkout of the sample service in a temporary folder, with runs/ and .local/ of its own."""

from collections.abc import Mapping
from pathlib import Path

from drydock.core.project import Project

ROOT = Path(__file__).parents[3]


def sample_checkout(folder: Path, changes: Mapping[str, str]) -> Project:
    """Links to this repository, and its drydock.toml with `changes`: from a text in it to another one."""
    folder.mkdir(exist_ok=True)
    for name in ("k8s", "app", "drills", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    text = (ROOT / "drydock.toml").read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "drydock.toml").write_text(text)
    return Project.find(folder)
