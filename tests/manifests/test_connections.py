"""All pods together stay under what Postgres allows."""

from typing import Any

import pytest

from tests.manifests.rules import connections
from tests.manifests.rules.objects import Object, container, find


@pytest.mark.parametrize("overlay", ["dev", "parity"])
def test_the_connection_budget_fits(overlay: str, request: pytest.FixtureRequest, defaults: dict[str, Any]) -> None:
    assert connections.budget_fits(request.getfixturevalue(overlay), defaults["DATABASE_POOL_SIZE"]) == []


def test_eight_replicas_would_still_fit(parity: list[Object], defaults: dict[str, Any]) -> None:
    find(parity, "Deployment", "shop")["spec"]["replicas"] = 8
    assert connections.budget_fits(parity, defaults["DATABASE_POOL_SIZE"]) == []


def test_nine_replicas_are_found(parity: list[Object], defaults: dict[str, Any]) -> None:
    find(parity, "Deployment", "shop")["spec"]["replicas"] = 9
    assert connections.budget_fits(parity, defaults["DATABASE_POOL_SIZE"]) == [
        "65 connections may be asked for, Postgres allows 60"
    ]


def test_an_autoscaler_that_goes_too_far_is_found(parity: list[Object]) -> None:
    target = {"kind": "Deployment", "name": "shop"}
    scaler = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "shop"}}
    parity.append(scaler | {"spec": {"scaleTargetRef": target, "maxReplicas": 20}})
    assert len(connections.budget_fits(parity, 5)) == 1


def test_a_limit_left_to_its_default_is_found(parity: list[Object]) -> None:
    container(parity, "StatefulSet", "postgres")["args"] = []
    with pytest.raises(LookupError, match="max_connections is not set"):
        connections.budget_fits(parity, 5)
