"""Every object is valid for the Kubernetes version of the node image. Unknown fields are errors."""

import re
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from drydock.manifests.objects import Object, container, find
from tests.manifests.conftest import objects

FOLDERS = ["base", "load/judge", "load/locust", "overlays/dev", "overlays/parity"]
AUTOSCALING = ["autoscaling/cpu", "autoscaling/keda", "autoscaling/one"]

type Schemas = dict[str, Any]


@pytest.fixture
def version(kind: Object) -> str:
    """The minor version of Kubernetes that the cluster runs."""
    match = re.search(r":v(\d+\.\d+)\.\d+$", kind["nodes"][0]["image"])
    assert match, "the node image's tag states no Kubernetes version"
    return match[1]


@pytest.fixture
def custom(platform: list[Object]) -> Schemas:
    """The schemas of the add-ons' custom resources, by kind."""
    definitions = [item["spec"] for item in platform if item["kind"] == "CustomResourceDefinition"]
    return {
        spec["names"]["kind"]: strict(spec["versions"][0]["schema"]["openAPIV3Schema"], root=True)
        for spec in definitions
    }


def strict(schema: Any, *, root: bool = False) -> Any:
    """A copy of an OpenAPI schema that rejects unknown fields."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    # This schema does not describe the fields that all kinds share, such as metadata.
    if isinstance(closed.get("properties"), dict) and not root:
        closed.setdefault("additionalProperties", False)
    return closed


def invalid(items: list[Object], version: str, custom: Schemas) -> list[str]:
    findings = []
    for item in items:
        try:
            if item["kind"] in custom:
                jsonschema.validate(item, custom[item["kind"]])
            else:
                assert kubernetes_validate.validate(item, version, strict=True) == version
        except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
            findings.append(f"{item['kind']}/{item['metadata']['name']}: {error.message}")
    return findings


@pytest.mark.parametrize("folder", [*FOLDERS, *AUTOSCALING])
def test_every_object_is_valid(folder: str, version: str, custom: Schemas) -> None:
    assert invalid(objects(folder), version, custom) == []


def test_a_misspelt_field_is_found(parity: list[Object], version: str, custom: Schemas) -> None:
    container(parity, "Deployment", "shop")["redinessProbe"] = {}
    assert "redinessProbe" in invalid(parity, version, custom)[0]


def test_a_misspelt_field_of_an_addons_kind_is_found(parity: list[Object], version: str, custom: Schemas) -> None:
    find(parity, "ScaledObject", "shop")["spec"]["minReplicas"] = 2
    assert "'minReplicas' was unexpected" in invalid(parity, version, custom)[0]


def test_a_value_of_the_wrong_type_is_found(parity: list[Object], version: str, custom: Schemas) -> None:
    container(parity, "Deployment", "shop")["ports"][0]["containerPort"] = "8000"
    assert len(invalid(parity, version, custom)) == 1


def test_the_namespace_enforces_the_rules_of_this_version(parity: list[Object], version: str) -> None:
    labels = parity[0]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce-version"] == f"v{version}"


def test_the_namespace_of_an_addon_enforces_them_too(platform: list[Object], version: str) -> None:
    labels = find(platform, "Namespace", "keda")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce-version"] == f"v{version}"
