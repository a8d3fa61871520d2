"""Pods are unprivileged, have no API token, and belong to a restricted namespace."""

from collections.abc import Callable
from typing import Any

import pytest

from drydock.manifests.objects import Findings, Object, container, find
from tests.manifests.rules import security

EVERYWHERE = [
    security.numeric_user,
    security.confined,
    security.no_token,
    security.roles_only_read,
    security.resources_set,
    security.secrets_generated,
    security.default_deny,
]


@pytest.mark.parametrize("overlay", ["dev", "parity", "judge", "locust"])
@pytest.mark.parametrize("rule", EVERYWHERE, ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule: Callable[[list[Object]], Findings], overlay: str, request: pytest.FixtureRequest) -> None:
    assert rule(request.getfixturevalue(overlay)) == []


def test_every_root_filesystem_is_read_only_in_parity(parity: list[Object]) -> None:
    assert security.read_only_root(parity) == []


@pytest.mark.parametrize("generator", ["judge", "locust"])
def test_the_load_generator_cannot_change_its_own_image(generator: str, request: pytest.FixtureRequest) -> None:
    assert security.read_only_root(request.getfixturevalue(generator)) == []


def test_only_the_reloading_containers_can_write_in_dev(dev: list[Object]) -> None:
    assert security.read_only_root(dev) == [
        "Deployment/receipts, container receipts can write to its root filesystem",
        "Deployment/shop, container shop can write to its root filesystem",
    ]


@pytest.mark.parametrize("overlay", ["dev", "parity"])
def test_nothing_is_outside_the_namespaces(
    overlay: str, request: pytest.FixtureRequest, instrument: dict[str, Any]
) -> None:
    names = {instrument["workload"]["namespace"], "observability"}
    assert security.inside_namespaces(request.getfixturevalue(overlay), names) == []


@pytest.mark.parametrize("generator", ["judge", "locust"])
def test_the_load_generator_has_a_namespace_of_its_own(generator: str, request: pytest.FixtureRequest) -> None:
    assert security.inside_namespaces(request.getfixturevalue(generator), {"load"}) == []


def test_a_named_user_is_found(parity: list[Object]) -> None:
    del find(parity, "Job", "migrate")["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
    assert len(security.numeric_user(parity)) == 1


def test_root_is_found(parity: list[Object]) -> None:
    container(parity, "Deployment", "shop")["securityContext"]["runAsUser"] = 0
    assert len(security.numeric_user(parity)) == 1


def test_an_added_capability_is_found(parity: list[Object]) -> None:
    container(parity, "StatefulSet", "postgres")["securityContext"]["capabilities"]["add"] = ["CHOWN"]
    assert security.confined(parity) == ["StatefulSet/postgres, container postgres keeps capabilities"]


def test_a_missing_seccomp_profile_is_found(parity: list[Object]) -> None:
    del find(parity, "Deployment", "shop")["spec"]["template"]["spec"]["securityContext"]["seccompProfile"]
    assert len(security.confined(parity)) == 1


def test_privilege_escalation_is_found(parity: list[Object]) -> None:
    del container(parity, "Deployment", "shop")["securityContext"]["allowPrivilegeEscalation"]
    assert security.confined(parity) == ["Deployment/shop, container shop may gain privileges"]


def test_a_writable_root_is_found(parity: list[Object]) -> None:
    del container(parity, "Job", "migrate")["securityContext"]["readOnlyRootFilesystem"]
    assert len(security.read_only_root(parity)) == 1


def test_a_token_is_found(parity: list[Object]) -> None:
    del find(parity, "StatefulSet", "postgres")["spec"]["template"]["spec"]["automountServiceAccountToken"]
    assert security.no_token(parity) == ["StatefulSet/postgres mounts a token"]


def test_a_missing_request_is_found(parity: list[Object]) -> None:
    del container(parity, "Deployment", "shop")["resources"]["requests"]["cpu"]
    assert security.resources_set(parity) == ["Deployment/shop, container shop has no requests of cpu"]


def test_an_object_in_another_namespace_is_found(parity: list[Object]) -> None:
    find(parity, "Service", "shop")["metadata"]["namespace"] = "default"
    assert security.inside_namespaces(parity, {"shop", "observability"}) == [
        "Service/shop is in none of the namespaces observability, shop"
    ]


def test_a_lenient_namespace_is_found(parity: list[Object]) -> None:
    find(parity, "Namespace", "shop")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "baseline"
    assert security.inside_namespaces(parity, {"shop", "observability"}) == [
        "the namespace shop does not enforce restricted Pod Security"
    ]


def test_a_secret_written_by_hand_is_found(parity: list[Object]) -> None:
    next(item for item in parity if item["kind"] == "Secret")["metadata"]["name"] = "database"
    assert security.secrets_generated(parity) == ["Secret/database is not from a generator"]


def test_a_password_in_a_manifest_is_found(parity: list[Object]) -> None:
    container(parity, "Job", "migrate")["env"][0]["value"] = "postgresql://shop:hunter2@postgres:5432/shop"
    assert len(security.secrets_generated(parity)) == 1


def test_a_default_policy_that_allows_is_found(parity: list[Object]) -> None:
    find(parity, "NetworkPolicy", "default-deny")["spec"]["egress"] = [{}]
    assert len(security.default_deny(parity)) == 1


def test_a_role_that_reads_secrets_is_found(parity: list[Object]) -> None:
    find(parity, "ClusterRole", "drydock-kube-state-metrics")["rules"][0]["resources"].append("secrets")
    assert len(security.roles_only_read(parity)) == 1


def test_a_role_that_changes_something_is_found(parity: list[Object]) -> None:
    find(parity, "ClusterRole", "drydock-prometheus")["rules"][0]["verbs"].append("delete")
    assert len(security.roles_only_read(parity)) == 1
