"""Compose runs what Kubernetes runs, as it runs it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from drydock.check import parity as parity_rules
from drydock.check.rule import apply
from drydock.check.subject import Subject
from drydock.manifests.objects import Object
from drydock.manifests.quantities import seconds, size
from tests.manifests.rules import compose as rules

DEPLOYMENTS = ["shop", "receipts"]


@pytest.fixture
def everything(parity: list[Object], judge: list[Object]) -> list[Object]:
    """All that compose has too."""
    return [*parity, *judge]


@pytest.fixture
def checked(subject: Subject, everything: list[Object]) -> Subject:
    """The same for the check."""
    return replace(subject, objects=everything)


def failures(subject: Subject) -> list[str]:
    """The lines of the rules of parity that do not hold."""
    lines = [line for result in apply(parity_rules.RULES, subject) for line in result.lines]
    return [line for line in lines if line.startswith("FAIL")]


def test_compose_runs_everything_as_kubernetes_does(checked: Subject) -> None:
    assert failures(checked) == []


def test_the_check_compares_everything_in_compose(checked: Subject) -> None:
    assert {it.name for it in checked.composed()} == set(checked.compose["services"])


# A change of compose, and the beginning of the one line that reports it.
CHANGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "another password": (
        lambda it: it["postgres"].update(environment={"POSTGRES_PASSWORD": "another"}),
        "environment: postgres: different: POSTGRES_PASSWORD",
    ),
    "another value of a variable": (
        lambda it: it["shop"]["environment"].update(FAULTS_ENABLED="true"),
        "environment: shop: different: FAULTS_ENABLED",
    ),
    "more memory": (
        lambda it: it["shop"].update(mem_limit="1g"),
        "limits: shop: 1024 MiB and 1 CPU in compose, 256 MiB and 1 CPU in Kubernetes",
    ),
    "another command": (
        lambda it: it["postgres"].update(command=["-c", "max_connections=100"]),
        "command: postgres: -c max_connections=100 in compose, -c max_connections=90 in Kubernetes",
    ),
    "compose's own grace period": (
        lambda it: it["shop"].pop("stop_grace_period"),
        "grace-period: shop: 10 s in compose, 40 s in Kubernetes",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_compose_is_found(name: str, checked: Subject) -> None:
    change, expected = CHANGES[name]
    change(checked.compose["services"])
    [line] = failures(checked)
    assert line.startswith(f"FAIL  parity/{expected}")


def test_the_containers_are_confined(compose: Object, everything: list[Object]) -> None:
    assert rules.confined(compose, everything) == []


def test_database_migration_and_service_start_in_order(compose: Object) -> None:
    assert rules.starts_in_order(compose) == []


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_compose_checks_readiness_in_the_same_rhythm(name: str, compose: Object, parity: list[Object]) -> None:
    assert rules.checks_readiness(compose, parity, name) == []


def test_an_init_process_is_found(compose: Object, everything: list[Object]) -> None:
    compose["services"]["shop"]["init"] = True
    assert rules.confined(compose, everything) == ["shop: init is True, not False"]


def test_a_start_without_a_migration_is_found(compose: Object) -> None:
    compose["services"]["shop"]["depends_on"] = {"migrate": {"condition": "service_started"}}
    assert rules.starts_in_order(compose) == [
        "shop starts on migrate: service_started, not service_completed_successfully"
    ]


def test_another_rhythm_is_found(compose: Object, parity: list[Object]) -> None:
    compose["services"]["shop"]["healthcheck"] |= {"interval": "30s", "retries": 10}
    assert rules.checks_readiness(compose, parity, "shop") == [
        "compose's interval is 30s, Kubernetes has 5 s",
        "compose allows 10 failures, Kubernetes 3",
    ]


@pytest.mark.parametrize(("text", "expected"), [("40s", 40), ("2m30s", 150), ("1h", 3600)])
def test_durations_are_read_as_seconds(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["256m", "256Mi", "256mb"])
def test_sizes_are_read_as_bytes(text: str) -> None:
    assert size(text) == 256 * 2**20
