"""Compose runs what Kubernetes runs, as it runs it."""

import pytest

from drydock.manifests.objects import Object
from drydock.manifests.quantities import seconds, size
from tests.manifests.rules import compose as rules

type Environment = dict[str, dict[str, str]]


@pytest.fixture
def everything(parity: list[Object], load: list[Object]) -> list[Object]:
    """All that compose has too."""
    return [*parity, *load]


def test_the_environment_is_the_same(compose_environment: Environment, everything: list[Object]) -> None:
    assert rules.same_environment(compose_environment, everything) == []


def test_the_limits_are_the_same(compose: Object, everything: list[Object]) -> None:
    assert rules.same_limits(compose, everything) == []


def test_the_commands_are_the_same(compose: Object, everything: list[Object]) -> None:
    assert rules.same_command(compose, everything) == []


def test_the_containers_are_confined(compose: Object, everything: list[Object]) -> None:
    assert rules.confined(compose, everything) == []


def test_database_migration_and_service_start_in_order(compose: Object) -> None:
    assert rules.starts_in_order(compose) == []


def test_another_password_is_found(compose_environment: Environment, everything: list[Object]) -> None:
    compose_environment["postgres"]["POSTGRES_PASSWORD"] = "another"
    assert len(rules.same_environment(compose_environment, everything)) == 1


def test_a_variable_of_one_place_alone_is_found(compose_environment: Environment, everything: list[Object]) -> None:
    compose_environment["shop"]["FAULTS_ENABLED"] = "true"
    assert rules.same_environment(compose_environment, everything) == [
        "shop: FAULTS_ENABLED is true in compose, false in Kubernetes"
    ]


def test_more_memory_in_compose_is_found(compose: Object, everything: list[Object]) -> None:
    compose["services"]["shop"]["mem_limit"] = "1g"
    assert rules.same_limits(compose, everything) == ["shop: memory stops at 1g in compose, 256Mi there"]


def test_another_command_is_found(compose: Object, everything: list[Object]) -> None:
    compose["services"]["postgres"]["command"] = ["-c", "max_connections=100"]
    assert len(rules.same_command(compose, everything)) == 1


def test_an_init_process_is_found(compose: Object, everything: list[Object]) -> None:
    compose["services"]["shop"]["init"] = True
    assert rules.confined(compose, everything) == ["shop: init is True, not False"]


def test_a_start_without_a_migration_is_found(compose: Object) -> None:
    compose["services"]["shop"]["depends_on"] = {"migrate": {"condition": "service_started"}}
    assert rules.starts_in_order(compose) == [
        "shop starts on migrate: service_started, not service_completed_successfully"
    ]


@pytest.mark.parametrize(("text", "expected"), [("40s", 40), ("2m30s", 150), ("1h", 3600)])
def test_durations_are_read_as_seconds(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["256m", "256Mi", "256mb"])
def test_sizes_are_read_as_bytes(text: str) -> None:
    assert size(text) == 256 * 2**20
