"""An autoscaler decides, nothing else sets the number of replicas, and what it needs is there."""

import pytest

from tests.manifests.rules import replicas
from tests.manifests.rules.objects import Object, container, find

EVERYWHERE = pytest.mark.parametrize("overlay", ["base", "dev", "parity"])


@EVERYWHERE
def test_the_replicas_are_decided_once(overlay: str, request: pytest.FixtureRequest) -> None:
    assert replicas.decided_once(request.getfixturevalue(overlay)) == []


@EVERYWHERE
def test_the_autoscaler_has_a_request_to_take_its_percentage_of(overlay: str, request: pytest.FixtureRequest) -> None:
    assert replicas.has_its_percentage_of_something(request.getfixturevalue(overlay)) == []


def test_parity_has_a_pod_to_spare(parity: list[Object]) -> None:
    assert find(parity, "HorizontalPodAutoscaler", "shop")["spec"]["minReplicas"] >= 2


def test_dev_has_one_pod_which_every_edit_reaches(dev: list[Object]) -> None:
    spec = find(dev, "HorizontalPodAutoscaler", "shop")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 1)


def test_replicas_beside_an_autoscaler_are_found(parity: list[Object]) -> None:
    find(parity, "Deployment", "shop")["spec"]["replicas"] = 2
    assert replicas.decided_once(parity) == ["Deployment/shop sets replicas that its autoscaler owns"]


def test_replicas_that_nobody_decides_are_found(parity: list[Object]) -> None:
    unscaled = [item for item in parity if item["kind"] != "HorizontalPodAutoscaler"]
    assert replicas.decided_once(unscaled) == ["Deployment/shop has neither replicas nor an autoscaler"]


def test_a_container_without_a_request_is_found(parity: list[Object]) -> None:
    container(parity, "Deployment", "shop")["resources"]["requests"] = {"memory": "128Mi"}
    assert replicas.has_its_percentage_of_something(parity) == ["Deployment/shop, container shop requests no CPU"]
