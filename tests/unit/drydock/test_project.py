from pathlib import Path

import pytest

from drydock.core.errors import CannotRunError
from drydock.core.project import Project, cache_folder

ROOT = Path(__file__).parents[3]
VALID = (ROOT / "drydock.toml").read_text()


def written(folder: Path, text: str) -> Path:
    (folder / "drydock.toml").write_text(text)
    return folder


def test_the_project_is_found_from_any_folder_below_its_root(tmp_path: Path) -> None:
    deep = written(tmp_path, VALID) / "a" / "b"
    deep.mkdir(parents=True)

    project = Project.find(deep)

    assert project.root == tmp_path.resolve()
    assert project.configuration.platforms.port("local") == 8082
    assert project.configuration.local.command == ("uvicorn", "app.main:app")


def test_outside_a_checkout_the_error_has_a_reason_and_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(CannotRunError, match=r"no drydock.toml in .* or above it") as caught:
        Project.find(tmp_path)

    assert caught.value.remedy


@pytest.mark.parametrize(
    ("wrong", "right", "named"),
    [
        ("http://0.0.0.0:8080", "http://localhost:8080", "platforms.kind"),
        ('deploy = "shop"', 'deployment = "shop"', "workload.deployment"),
        ("command = []", 'command = ["uvicorn", "app.main:app"]', "local.command"),
        ("grace_seconds = 0", "grace_seconds = 45", "local.grace_seconds"),
        ('ready = "health"', 'ready = "/health/ready"', "probes.ready"),
    ],
)
def test_the_error_names_the_invalid_key(tmp_path: Path, wrong: str, right: str, named: str) -> None:
    assert right in VALID
    written(tmp_path, VALID.replace(right, wrong))

    with pytest.raises(CannotRunError) as caught:
        Project.find(tmp_path)

    assert named in caught.value.reason


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRunError, match="is not TOML"):
        Project.find(written(tmp_path, "[workload"))


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"DRYDOCK_CACHE": "/srv/cache", "XDG_CACHE_HOME": "/xdg"}, "/srv/cache"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/drydock"),
        ({"HOME": "/home/me"}, "/home/me/.cache/drydock"),
    ],
)
def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], folder: str) -> None:
    for name in ("DRYDOCK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert cache_folder() == Path(folder)
