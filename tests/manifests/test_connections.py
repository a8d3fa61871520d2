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
        "100 connections may be asked for, Postgres allows 90"
    ]


def test_workers_that_are_too_many_are_found(parity: list[Object], defaults: dict[str, Any]) -> None:
    find(parity, "ScaledObject", "receipts")["spec"]["maxReplicaCount"] = 4
    assert connections.budget_fits(parity, defaults["DATABASE_POOL_SIZE"]) == [
        "94 connections may be asked for, Postgres allows 90"
    ]


def test_a_larger_pool_of_the_worker_is_found(parity: list[Object], defaults: dict[str, Any]) -> None:
    container(parity, "Deployment", "receipts")["env"].append({"name": "DATABASE_POOL_SIZE", "value": "3"})
    assert connections.budget_fits(parity, defaults["DATABASE_POOL_SIZE"]) == [
        "94 connections may be asked for, Postgres allows 90"
    ]


def test_every_deployment_that_uses_the_database_counts(parity: list[Object]) -> None:
    assert [name for name, _ in connections.users(parity)] == ["receipts", "shop"]


def test_without_an_autoscaler_the_replicas_count(base: list[Object], defaults: dict[str, Any]) -> None:
    find(base, "Deployment", "shop")["spec"]["replicas"] = 7
    find(base, "Deployment", "receipts")["spec"]["replicas"] = 1
    assert len(connections.budget_fits(base, defaults["DATABASE_POOL_SIZE"])) == 1


def test_pods_that_are_ending_count(parity: list[Object]) -> None:
    assert connections.most_pods(parity, "shop") == 10
    assert connections.most_pods(parity, "receipts") == 6


def test_a_limit_left_to_its_default_is_found(parity: list[Object]) -> None:
    container(parity, "StatefulSet", "postgres")["args"] = []
    with pytest.raises(LookupError, match="max_connections is not set"):
        connections.budget_fits(parity, 5)
