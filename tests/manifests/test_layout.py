"""Each manifest file holds one object with its keys in a fixed order, and a kustomization uses it."""

from pathlib import Path

import pytest

from tests.manifests.conftest import ROOT
from tests.manifests.rules import layout

MANIFESTS = {
    path: path.read_text()
    for folder in ("autoscaling", "base", "components", "load", "network", "observability", "overlays")
    for path in sorted((ROOT / "k8s" / folder).rglob("*.yaml"))
}


@pytest.fixture
def files() -> dict[Path, str]:
    return {path: text for path, text in MANIFESTS.items() if path.name != "kustomization.yaml"}


@pytest.fixture
def kustomizations() -> dict[Path, str]:
    return {path: text for path, text in MANIFESTS.items() if path.name == "kustomization.yaml"}


def test_a_file_holds_one_object_in_a_fixed_order(files: dict[Path, str]) -> None:
    assert layout.one_object_a_file(files) == []


def test_every_file_is_used(files: dict[Path, str], kustomizations: dict[Path, str]) -> None:
    assert layout.every_file_used(files, kustomizations) == []


def test_no_secret_is_in_git(files: dict[Path, str]) -> None:
    assert layout.no_secret_in_git(files) == []


def test_two_objects_in_one_file_are_found() -> None:
    assert layout.one_object_a_file({Path("two.yaml"): "kind: A\n---\nkind: B\n"}) == ["two.yaml holds 2 objects"]


def test_keys_out_of_order_are_found() -> None:
    assert len(layout.one_object_a_file({Path("a.yaml"): "kind: A\napiVersion: v1\n"})) == 1


def test_an_unused_file_is_found(files: dict[Path, str], kustomizations: dict[Path, str]) -> None:
    stray = ROOT / "k8s" / "base" / "stray.yaml"
    assert layout.every_file_used({**files, stray: ""}, kustomizations) == [f"{stray} is named by no kustomization"]


def test_a_secret_in_git_is_found() -> None:
    assert layout.no_secret_in_git({Path("secret.yaml"): "kind: Secret\n"}) == ["secret.yaml is a Secret"]
