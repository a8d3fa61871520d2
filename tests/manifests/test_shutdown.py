"""A pod that ends has the time that its own steps may take."""

from typing import Any

import pytest

from drydock.manifests.objects import Object, container, environment, find
from tests.manifests.rules import shutdown


@pytest.mark.parametrize("overlay", ["dev", "parity"])
def test_the_shutdown_budget_fits(overlay: str, request: pytest.FixtureRequest, defaults: dict[str, Any]) -> None:
    assert shutdown.budget_fits(request.getfixturevalue(overlay), defaults) == []


@pytest.mark.parametrize(("name", "seconds"), [("shop", 33), ("receipts", 21)])
def test_the_whole_budget_is_what_the_manifest_says(
    name: str, seconds: int, parity: list[Object], defaults: dict[str, Any]
) -> None:
    assert shutdown.pre_stop(parity, name) + shutdown.after_sigterm(name, {}, defaults) == seconds


def test_what_a_worker_has_in_hand_can_be_finished(parity: list[Object], defaults: dict[str, Any]) -> None:
    variables = environment(parity, container(parity, "Deployment", "receipts"))
    rendering = float(variables.get("RECEIPT_RENDER_SECONDS", defaults["RECEIPT_RENDER_SECONDS"]))
    assert rendering < float(variables["GRACEFUL_SECONDS"])


def test_compose_allows_the_same_without_the_pre_stop(
    compose: Object, parity: list[Object], defaults: dict[str, Any]
) -> None:
    assert shutdown.compose_agrees(compose, parity, defaults) == []


def test_the_local_platform_has_the_same_grace(parity: list[Object], instrument: dict[str, Any]) -> None:
    pod = find(parity, "Deployment", "shop")["spec"]["template"]["spec"]
    assert instrument["local"]["grace_seconds"] == pod["terminationGracePeriodSeconds"]


def test_a_grace_period_that_is_too_short_is_found(parity: list[Object], defaults: dict[str, Any]) -> None:
    find(parity, "Deployment", "shop")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 33
    assert shutdown.budget_fits(parity, defaults) == [
        "the shutdown of shop may take 33 s, but the kubelet kills after 33 s"
    ]


def test_a_grace_period_of_the_worker_that_is_too_short_is_found(
    parity: list[Object], defaults: dict[str, Any]
) -> None:
    find(parity, "Deployment", "receipts")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 20
    assert shutdown.budget_fits(parity, defaults) == [
        "the shutdown of receipts may take 21 s, but the kubelet kills after 20 s"
    ]


def test_a_longer_drain_in_the_configuration_is_found(parity: list[Object], defaults: dict[str, Any]) -> None:
    container(parity, "Deployment", "shop")["env"].append({"name": "DRAIN_SECONDS", "value": "30"})
    assert shutdown.budget_fits(parity, defaults) == [
        "the shutdown of shop may take 58 s, but the kubelet kills after 45 s"
    ]


def test_composes_own_default_is_found(compose: Object, parity: list[Object], defaults: dict[str, Any]) -> None:
    del compose["services"]["shop"]["stop_grace_period"]
    assert shutdown.compose_agrees(compose, parity, defaults) == [
        "shop: compose waits 10 s, Kubernetes 45 s with 5 s of preStop",
        "shop: compose kills after 10 s, but 28 s are needed",
    ]
