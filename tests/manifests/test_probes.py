"""The probes are those that docs/reference/service.md describes."""

from typing import Any

import pytest

from drydock.manifests.objects import Object, container
from tests.manifests.rules import probes

DEPLOYMENTS = ["shop", "receipts"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
@pytest.mark.parametrize("overlay", ["dev", "parity"])
def test_paths_and_periods_are_as_designed(
    overlay: str, name: str, request: pytest.FixtureRequest, instrument: dict[str, Any]
) -> None:
    assert probes.as_designed(request.getfixturevalue(overlay), instrument["probes"], name) == []


def test_a_pod_leaves_the_service_before_it_is_restarted(parity: list[Object]) -> None:
    assert probes.liveness_outlasts_readiness(parity) == []


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_compose_checks_readiness_in_the_same_rhythm(name: str, compose: Object, parity: list[Object]) -> None:
    assert probes.compose_agrees(compose, parity, name) == []


def test_liveness_that_asks_for_the_database_is_found(parity: list[Object], instrument: dict[str, Any]) -> None:
    container(parity, "Deployment", "shop")["livenessProbe"]["httpGet"]["path"] = "/health/ready"
    assert probes.as_designed(parity, instrument["probes"]) == ["livenessProbe asks /health/ready, not /health/live"]


def test_a_missing_probe_is_found(parity: list[Object], instrument: dict[str, Any]) -> None:
    del container(parity, "Deployment", "shop")["startupProbe"]
    assert "startupProbe asks None, not /health/live" in probes.as_designed(parity, instrument["probes"])


def test_a_liveness_probe_that_is_too_eager_is_found(parity: list[Object]) -> None:
    container(parity, "Deployment", "shop")["livenessProbe"]["failureThreshold"] = 1
    assert probes.liveness_outlasts_readiness(parity) == ["unready after 15 s, but restarted after 10 s already"]


def test_another_rhythm_in_compose_is_found(compose: Object, parity: list[Object]) -> None:
    compose["services"]["shop"]["healthcheck"] |= {"interval": "30s", "retries": 10}
    assert probes.compose_agrees(compose, parity) == [
        "compose's interval is 30s, Kubernetes has 5 s",
        "compose allows 10 failures, Kubernetes 3",
    ]
