"""Every object is valid for the Kubernetes version of the node image, strictly: an unknown field is an error."""

import re

import kubernetes_validate
import pytest

from tests.manifests.conftest import objects
from tests.manifests.rules.objects import Object, container

FOLDERS = ["base", "load", "overlays/dev", "overlays/parity"]


@pytest.fixture
def version(kind: Object) -> str:
    """The minor version of Kubernetes that the cluster runs."""
    match = re.search(r":v(\d+\.\d+)\.\d+$", kind["nodes"][0]["image"])
    assert match, "the node image's tag states no Kubernetes version"
    return match[1]


def invalid(items: list[Object], version: str) -> list[str]:
    findings = []
    for item in items:
        try:
            assert kubernetes_validate.validate(item, version, strict=True) == version
        except kubernetes_validate.ValidationError as error:
            findings.append(f"{item['kind']}/{item['metadata']['name']}: {error.message}")
    return findings


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_object_is_valid(folder: str, version: str) -> None:
    assert invalid(objects(folder), version) == []


def test_a_misspelt_field_is_found(parity: list[Object], version: str) -> None:
    container(parity, "Deployment", "shop")["redinessProbe"] = {}
    assert "redinessProbe" in invalid(parity, version)[0]


def test_a_value_of_the_wrong_type_is_found(parity: list[Object], version: str) -> None:
    container(parity, "Deployment", "shop")["ports"][0]["containerPort"] = "8000"
    assert len(invalid(parity, version)) == 1


def test_the_namespace_enforces_the_rules_of_this_version(parity: list[Object], version: str) -> None:
    labels = parity[0]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce-version"] == f"v{version}"
