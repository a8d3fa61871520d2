"""A pod that ends has the time that its own steps may take."""

from typing import Any

import pytest

from tests.manifests.rules import shutdown
from tests.manifests.rules.objects import Object, container, find


@pytest.mark.parametrize("overlay", ["dev", "parity"])
def test_the_shutdown_budget_fits(overlay: str, request: pytest.FixtureRequest, defaults: dict[str, Any]) -> None:
    assert shutdown.budget_fits(request.getfixturevalue(overlay), defaults) == []


def test_the_whole_budget_is_33_seconds(parity: list[Object], defaults: dict[str, Any]) -> None:
    assert shutdown.pre_stop(parity) + shutdown.after_sigterm({}, defaults) == 33


def test_compose_allows_the_same_without_the_pre_stop(
    compose: Object, parity: list[Object], defaults: dict[str, Any]
) -> None:
    assert shutdown.compose_agrees(compose, parity, defaults) == []


def test_the_local_platform_has_the_same_grace(parity: list[Object], instrument: dict[str, Any]) -> None:
    pod = find(parity, "Deployment", "shop")["spec"]["template"]["spec"]
    assert instrument["local"]["grace_seconds"] == pod["terminationGracePeriodSeconds"]


def test_a_grace_period_that_is_too_short_is_found(parity: list[Object], defaults: dict[str, Any]) -> None:
    find(parity, "Deployment", "shop")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 33
    assert shutdown.budget_fits(parity, defaults) == ["the shutdown may take 33 s, but the kubelet kills after 33 s"]


def test_a_longer_drain_in_the_configuration_is_found(parity: list[Object], defaults: dict[str, Any]) -> None:
    container(parity, "Deployment", "shop")["env"].append({"name": "DRAIN_SECONDS", "value": "30"})
    assert shutdown.budget_fits(parity, defaults) == ["the shutdown may take 58 s, but the kubelet kills after 45 s"]


def test_composes_own_default_is_found(compose: Object, parity: list[Object], defaults: dict[str, Any]) -> None:
    del compose["services"]["shop"]["stop_grace_period"]
    assert shutdown.compose_agrees(compose, parity, defaults) == [
        "compose waits 10 s, Kubernetes 45 s with 5 s of preStop",
        "compose kills after 10 s, the service needs 28 s",
    ]
