"""Local timings differ from production's only in the documented fields."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from drydock.manifests.objects import Object, find
from tests.manifests.conftest import ROOT, objects

COMPONENT = "components/production-timings"
SCALE_DOWN = "behavior.scaleDown"


@pytest.fixture
def in_production(tmp_path: Path) -> Any:
    """An autoscaler of k8s/autoscaling with the component production-timings."""

    def render(autoscaling: str) -> list[Object]:
        below = os.path.relpath(ROOT / "k8s", tmp_path)
        content = {"resources": [f"{below}/autoscaling/{autoscaling}"], "components": [f"{below}/{COMPONENT}"]}
        header = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(header | content))
        return objects(str(tmp_path))

    return render


def fields(item: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All values of an object by path: a.b[0].c."""
    if isinstance(item, dict):
        for key, value in item.items():
            yield from fields(value, f"{path}.{key}" if path else key)
    elif isinstance(item, list):
        for index, value in enumerate(item):
            yield from fields(value, f"{path}[{index}]")
    else:
        yield path, item


def differing(local: Object, production: Object) -> dict[str, tuple[Any, Any]]:
    """The differing fields of two objects, with both values."""
    here, there = dict(fields(local)), dict(fields(production))
    return {path: (here.get(path), there.get(path)) for path in here | there if here.get(path) != there.get(path)}


def test_keda_has_longer_timings_and_a_longer_window_in_production(in_production: Any) -> None:
    local, production = (
        find(items, "ScaledObject", "shop") for items in (objects("autoscaling/keda"), in_production("keda"))
    )
    found = differing(local, production)
    query = found.pop("spec.triggers[1].metadata.query")
    prefix = "spec.advanced.horizontalPodAutoscalerConfig."
    assert found == {
        f"{prefix}{SCALE_DOWN}.stabilizationWindowSeconds": (60, 300),
        f"{prefix}{SCALE_DOWN}.policies[0].periodSeconds": (30, 60),
    }
    local_query, query_there = (" ".join(text.split()) for text in query)
    assert local_query.replace("[20s]", "[2m]").replace(">= 3", ">= 7") == query_there


def test_the_cpu_autoscaler_has_longer_timings_in_production(in_production: Any) -> None:
    local, production = (
        find(items, "HorizontalPodAutoscaler", "shop") for items in (objects("autoscaling/cpu"), in_production("cpu"))
    )
    assert differing(local, production) == {
        f"spec.{SCALE_DOWN}.stabilizationWindowSeconds": (60, 300),
        f"spec.{SCALE_DOWN}.policies[0].periodSeconds": (30, 60),
    }


def test_with_and_without_keda_the_timings_are_the_same() -> None:
    scaled = find(objects("autoscaling/keda"), "ScaledObject", "shop")["spec"]
    plain = find(objects("autoscaling/cpu"), "HorizontalPodAutoscaler", "shop")["spec"]
    assert scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == plain["behavior"]


def test_the_scaling_page_documents_the_flags_of_the_controller_manager(kind: Object) -> None:
    flags = {
        argument["name"].removeprefix("horizontal-pod-autoscaler-"): argument["value"]
        for patch in kind["kubeadmConfigPatches"]
        for argument in yaml.safe_load(patch).get("controllerManager", {}).get("extraArgs", [])
    }
    assert flags == {"sync-period": "5s", "initial-readiness-delay": "10s", "cpu-initialization-period": "30s"}
    said = (ROOT / "docs" / "reference" / "scaling.md").read_text()
    assert [name for name in flags if name not in said] == []


def test_another_difference_is_found(in_production: Any) -> None:
    production = find(in_production("cpu"), "HorizontalPodAutoscaler", "shop")
    local = find(objects("autoscaling/cpu"), "HorizontalPodAutoscaler", "shop")
    production["spec"]["maxReplicas"] = 50
    assert differing(local, production)["spec.maxReplicas"] == (5, 50)
