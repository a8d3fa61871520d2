"""Dev mode relaxes only the settings that live update requires."""

import re
from typing import Any

import pytest

from drydock.cluster.guards import MODE_ANNOTATION, PARITY
from drydock.manifests.objects import Object, container, find
from tests.manifests.conftest import deployed

WORKER = "python -m app.receipts --host 0.0.0.0 --port 8000"


@pytest.fixture
def parity() -> list[Object]:
    """Parity mode with the autoscaler that differs from dev mode's only in its numbers."""
    return deployed("parity", "cpu")


def test_dev_differs_from_parity_only_in_the_relaxed_settings(dev: list[Object], parity: list[Object]) -> None:
    assert relaxed(dev) == {
        "mode": "dev",
        "pods": (1, 1),
        "args": ["python", "-m", "app.reload"],
        "read-only roots": (False, False),
        "preStop": None,
        "drain": "0",
        "migration image": "drydock/migrate:local",
        "workers": (1, 1),
        "worker's command": ["python", "-m", "watchfiles", "--filter", "python", WORKER, "app"],
    }
    assert [without_hash(item) for item in dev] == [without_hash(item) for item in parity]


def test_another_difference_is_found(dev: list[Object], parity: list[Object]) -> None:
    relaxed(dev)
    container(dev, "Deployment", "shop")["resources"]["limits"]["memory"] = "1Gi"
    assert [without_hash(item) for item in dev] != [without_hash(item) for item in parity]


def relaxed(objects: list[Object]) -> dict[str, Any]:
    """Dev mode's values of the settings that it may change. Sets them to parity's values in `objects`."""
    shop, migration = container(objects, "Deployment", "shop"), container(objects, "Job", "migrate")
    worker = container(objects, "Deployment", "receipts")
    scaler = find(objects, "HorizontalPodAutoscaler", "shop")["spec"]
    workers = find(objects, "HorizontalPodAutoscaler", "receipts")["spec"]
    configuration = next(
        item["data"] for item in objects if item["kind"] == "ConfigMap" and "DRAIN_SECONDS" in item["data"]
    )
    annotations = find(objects, "Deployment", "shop")["metadata"]["annotations"]
    found = {
        "mode": annotations[MODE_ANNOTATION],
        "pods": (scaler["minReplicas"], scaler["maxReplicas"]),
        "args": shop.pop("args"),
        "read-only roots": tuple(spec["securityContext"]["readOnlyRootFilesystem"] for spec in (shop, worker)),
        "preStop": shop.get("lifecycle"),
        "drain": configuration["DRAIN_SECONDS"],
        "migration image": migration["image"],
        "workers": (workers["minReplicas"], workers["maxReplicas"]),
        "worker's command": worker["command"],
    }
    annotations[MODE_ANNOTATION] = PARITY
    scaler["minReplicas"], scaler["maxReplicas"] = 2, 5
    workers["minReplicas"], workers["maxReplicas"] = 1, 3
    for spec in (shop, worker):
        spec["securityContext"]["readOnlyRootFilesystem"] = True
    worker["command"] = WORKER.split()
    shop["lifecycle"] = {"preStop": {"sleep": {"seconds": 5}}}
    configuration["DRAIN_SECONDS"] = "5"
    migration["image"] = "drydock/shop:local"
    return found


def without_hash(item: Any) -> Any:
    """The object without the hashes that kustomize appends to generated names."""
    if isinstance(item, dict):
        return {key: without_hash(value) for key, value in item.items()}
    if isinstance(item, list):
        return [without_hash(value) for value in item]
    return re.sub(r"^shop-[a-z0-9]{10}$", "shop", item) if isinstance(item, str) else item
