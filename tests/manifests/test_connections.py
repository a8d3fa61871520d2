"""All pods together stay under what Postgres allows."""

from typing import Any

import pytest

from tests.manifests.rules import connections
from tests.manifests.rules.objects import Object, container, find


@pytest.mark.parametrize("overlay", ["dev", "parity", "parity_without_keda"])
def test_the_connection_budget_fits(overlay: str, request: pytest.FixtureRequest, defaults: dict[str, Any]) -> None:
    assert connections.budget_fits(request.getfixturevalue(overlay), defaults["DATABASE_POOL_SIZE"]) == []


def test_an_autoscaler_that_goes_one_pod_too_far_is_found(parity: list[Object], defaults: dict[str, Any]) -> None:
    find(parity, "ScaledObject", "shop")["spec"]["maxReplicaCount"] = 6
    assert connections.budget_fits(parity, defaults["DATABASE_POOL_SIZE"]) == [
        "80 connections may be asked for, Postgres allows 70"
    ]


def test_without_an_autoscaler_the_replicas_count(base: list[Object], defaults: dict[str, Any]) -> None:
    find(base, "Deployment", "shop")["spec"]["replicas"] = 6
    assert len(connections.budget_fits(base, defaults["DATABASE_POOL_SIZE"])) == 1


def test_pods_that_are_ending_count(parity: list[Object]) -> None:
    assert connections.most_pods(parity) == 10


def test_a_limit_left_to_its_default_is_found(parity: list[Object]) -> None:
    container(parity, "StatefulSet", "postgres")["args"] = []
    with pytest.raises(LookupError, match="max_connections is not set"):
        connections.budget_fits(parity, 5)
