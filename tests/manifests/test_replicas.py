"""Where an autoscaler decides, nothing else sets the number of replicas."""

import pytest

from tests.manifests.rules import replicas
from tests.manifests.rules.objects import Object, find

SCALER = {
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "shop"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "shop"}, "maxReplicas": 4},
}


def test_the_base_leaves_the_replicas_open(base: list[Object]) -> None:
    assert replicas.base_leaves_them_open(base) == []


@pytest.mark.parametrize("overlay", ["dev", "parity"])
def test_the_replicas_are_decided_once(overlay: str, request: pytest.FixtureRequest) -> None:
    assert replicas.decided_once(request.getfixturevalue(overlay)) == []


def test_parity_has_a_pod_to_spare(parity: list[Object]) -> None:
    assert find(parity, "Deployment", "shop")["spec"]["replicas"] >= 2


def test_replicas_in_the_base_are_found(parity: list[Object]) -> None:
    assert replicas.base_leaves_them_open(parity) == ["Deployment/shop sets replicas"]


def test_replicas_beside_an_autoscaler_are_found(parity: list[Object]) -> None:
    assert replicas.decided_once([*parity, SCALER]) == ["Deployment/shop sets replicas that its autoscaler owns"]


def test_replicas_that_nobody_decides_are_found(base: list[Object]) -> None:
    assert replicas.decided_once(base) == ["Deployment/shop has neither replicas nor an autoscaler"]
