"""All pods together stay below Postgres' max_connections."""

import pytest

from drydock.check import connections
from drydock.core.project import Connections, Project
from drydock.manifests.objects import Object, container, find
from tests.manifests.conftest import ROOT

CONNECTIONS: Connections = Project.find(ROOT).configuration.connections


def needed(objects: list[Object]) -> int:
    return connections.needed(objects, CONNECTIONS)


@pytest.mark.parametrize("overlay", ["dev", "parity", "parity_without_keda"])
def test_the_connection_budget_fits(overlay: str, request: pytest.FixtureRequest) -> None:
    objects = request.getfixturevalue(overlay)
    allowed = connections.max_connections(objects, "postgres")
    assert allowed is not None
    assert needed(objects) <= allowed


def test_an_autoscaler_that_goes_one_pod_further_counts_twice(parity: list[Object]) -> None:
    find(parity, "ScaledObject", "shop")["spec"]["maxReplicaCount"] = 6
    assert needed(parity) == 100


def test_workers_that_are_too_many_are_counted(parity: list[Object]) -> None:
    find(parity, "ScaledObject", "receipts")["spec"]["maxReplicaCount"] = 4
    assert needed(parity) == 94


def test_a_larger_pool_of_the_worker_is_counted(parity: list[Object]) -> None:
    container(parity, "Deployment", "receipts")["env"].append({"name": "DATABASE_POOL_SIZE", "value": "3"})
    assert needed(parity) == 94


def test_every_deployment_that_uses_the_database_counts(parity: list[Object]) -> None:
    assert [name for name, _ in connections.users(parity, CONNECTIONS)] == ["receipts", "shop"]


def test_without_an_autoscaler_the_replicas_count(base: list[Object]) -> None:
    find(base, "Deployment", "shop")["spec"]["replicas"] = 7
    find(base, "Deployment", "receipts")["spec"]["replicas"] = 1
    assert needed(base) == 2 * 7 * 6 + 2 * 1 * 3 + 8


def test_pods_that_are_ending_count(parity: list[Object]) -> None:
    assert connections.most_pods(parity, "shop") == 10
    assert connections.most_pods(parity, "receipts") == 6


def test_the_default_pool_is_the_services_own(defaults: dict[str, int]) -> None:
    assert defaults["DATABASE_POOL_SIZE"] == CONNECTIONS.default_pool
