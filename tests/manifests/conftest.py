"""Fixtures of the manifest tests: each overlay, rendered once, and the other files that must agree with it."""

import copy
import functools
import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.drain import SETTLE_SECONDS
from app.settings import Settings
from drydock.check.subject import Subject
from drydock.cluster import addons
from drydock.core.console import Step
from drydock.core.project import Project
from drydock.manifests.objects import Object
from drydock.pinned import tools

ROOT = Path(__file__).parents[2]


@functools.cache
def rendered(folder: str) -> str:
    """The output of `kubectl kustomize` for a folder, absolute or below k8s/."""
    command = [str(tools.obtain(tools.KUBECTL)), "kustomize", str(ROOT / "k8s" / folder)]
    # Rendering needs no cluster, so make sure that none is reachable.
    environment = os.environ | {"KUBECONFIG": os.devnull}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        pytest.fail(f"k8s/{folder} does not render: {done.stderr}")
    return str(done.stdout)


@functools.cache
def _parsed(folder: str) -> list[Object]:
    # The loader in C, because KEDA's release alone has 12,000 lines.
    return list(yaml.load_all(rendered(folder), Loader=yaml.CSafeLoader))


def objects(folder: str) -> list[Object]:
    """A new copy of the rendered objects, which a test may change."""
    return copy.deepcopy(_parsed(folder))


@pytest.fixture
def base() -> list[Object]:
    return objects("base")


def deployed(mode: str, autoscaling: str) -> list[Object]:
    """An overlay with the autoscalers that the Tiltfile adds to it."""
    return [*objects(f"overlays/{mode}"), *objects(f"autoscaling/{autoscaling}")]


@pytest.fixture
def dev() -> list[Object]:
    return deployed("dev", "one")


@pytest.fixture
def parity() -> list[Object]:
    return deployed("parity", "keda")


@pytest.fixture
def parity_without_keda() -> list[Object]:
    return deployed("parity", "cpu")


@pytest.fixture
def judge() -> list[Object]:
    """The judge that a shutdown drill and `drydock smoke` run beside the service."""
    return objects("load/judge")


@pytest.fixture
def locust() -> list[Object]:
    """Locust with its web page, from which `drydock load` derives the Jobs of a run."""
    return objects("load/locust")


@pytest.fixture(scope="session")
def platform_folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return addons.assemble(Project.find(ROOT), Step("releases"), target=tmp_path_factory.mktemp("platform"))


@pytest.fixture
def platform(platform_folders: list[Path]) -> list[Object]:
    """The add-ons that `drydock up` installs on a kind cluster."""
    return [item for folder in platform_folders for item in objects(str(folder))]


@pytest.fixture
def kind() -> Object:
    loaded: Object = yaml.safe_load((ROOT / "k8s" / "kind.yaml").read_text())
    return loaded


@pytest.fixture
def compose() -> Object:
    loaded: Object = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


@pytest.fixture
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


@pytest.fixture
def subject(parity: list[Object], compose: Object, dockerfile: str) -> Subject:
    """The subject of `drydock check` for the parity overlay."""
    return Subject(Project.find(ROOT), "parity", parity, compose, dockerfile)


@pytest.fixture
def readme() -> str:
    return (ROOT / "README.md").read_text()


@pytest.fixture
def instrument() -> dict[str, Any]:
    """drydock.toml."""
    return tomllib.loads((ROOT / "drydock.toml").read_text())


@pytest.fixture
def defaults() -> dict[str, Any]:
    """The service's defaults by the name of their variable, and SETTLE_SECONDS, which is no variable."""
    variables = {name.upper(): field.default for name, field in Settings.model_fields.items()}
    return {**variables, "SETTLE_SECONDS": SETTLE_SECONDS}
