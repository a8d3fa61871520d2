"""Only an autoscaler sets the number of replicas, and the CPU requests that it needs exist."""

import pytest

from drydock.cluster.stack import Mode, Part, Profile, Stack
from drydock.manifests.objects import Object, container, find
from drydock.manifests.scalers import Scaler, scalers
from tests.manifests.conftest import deployed, objects
from tests.manifests.rules import replicas

EVERYWHERE = pytest.mark.parametrize("overlay", ["dev", "parity", "parity_without_keda"])


@EVERYWHERE
def test_only_one_object_sets_the_replicas(overlay: str, request: pytest.FixtureRequest) -> None:
    assert replicas.decided_once(request.getfixturevalue(overlay)) == []


@EVERYWHERE
def test_the_autoscaler_has_a_request_to_take_its_percentage_of(overlay: str, request: pytest.FixtureRequest) -> None:
    assert replicas.has_its_percentage_of_something(request.getfixturevalue(overlay)) == []


def test_dev_has_one_pod(dev: list[Object]) -> None:
    scaler = scaler_of("shop", dev)
    assert (scaler.fewest, scaler.most) == (1, 1)


def test_with_and_without_keda_the_limits_and_the_share_of_cpu_are_the_same(
    parity: list[Object], parity_without_keda: list[Object]
) -> None:
    assert replicas.same_whoever_decides(parity, parity_without_keda) == []


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("without", [(), (Part.KEDA,), (Part.PROMETHEUS,)], ids=" ".join)
def test_every_stack_has_one_autoscaler_a_workload(mode: Mode, profile: Profile, without: tuple[Part, ...]) -> None:
    stack = Stack(mode, profile, without)
    overlay = mode if profile is Profile.FULL else f"{mode}-{profile}"
    items = deployed(overlay, stack.autoscaling)
    assert replicas.decided_once(items) == []
    assert [scaler.name for scaler in scalers(items) if scaler.target == "shop"] == ["shop"]


def test_replicas_beside_an_autoscaler_are_found(parity: list[Object]) -> None:
    find(parity, "Deployment", "shop")["spec"]["replicas"] = 2
    assert replicas.decided_once(parity) == ["Deployment/shop sets replicas that its autoscaler owns"]


def test_a_deployment_without_an_autoscaler_is_found(parity: list[Object]) -> None:
    unscaled = [item for item in parity if item["kind"] != "ScaledObject"]
    assert replicas.decided_once(unscaled) == [
        "Deployment/receipts has neither replicas nor an autoscaler",
        "Deployment/shop has neither replicas nor an autoscaler",
    ]


def test_a_container_without_a_request_is_found(parity: list[Object]) -> None:
    container(parity, "Deployment", "shop")["resources"]["requests"] = {"memory": "128Mi"}
    assert replicas.has_its_percentage_of_something(parity) == ["Deployment/shop, container shop requests no CPU"]


@pytest.mark.parametrize("autoscaling", ["cpu", "one"])
def test_two_autoscalers_of_one_workload_are_found(parity: list[Object], autoscaling: str) -> None:
    both = [*parity, *objects(f"autoscaling/{autoscaling}")]
    assert "Deployment/shop has 2 autoscalers" in replicas.decided_once(both)


def test_another_share_of_cpu_without_keda_is_found(parity: list[Object], parity_without_keda: list[Object]) -> None:
    find(parity, "ScaledObject", "shop")["spec"]["triggers"][0]["metadata"]["value"] = "80"
    assert replicas.same_whoever_decides(parity, parity_without_keda) == [
        "ScaledObject/shop has cpu 80, HorizontalPodAutoscaler/shop has 60"
    ]


def test_an_autoscaler_with_another_name_is_found(parity: list[Object], parity_without_keda: list[Object]) -> None:
    del find(parity, "ScaledObject", "shop")["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"]
    assert replicas.same_whoever_decides(parity, parity_without_keda) == [
        "ScaledObject/shop has name keda-hpa-shop, HorizontalPodAutoscaler/shop has shop"
    ]


def scaler_of(name: str, items: list[Object]) -> Scaler:
    """The autoscaler of a Deployment."""
    return next(scaler for scaler in scalers(items) if scaler.target == name)
