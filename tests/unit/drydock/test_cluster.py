from pathlib import Path

import pytest
import yaml

from drydock import cluster, registry
from drydock.cluster import Cluster
from drydock.failures import CannotRunError


def kubeconfig(folder: Path, context: str, server: str) -> Path:
    path = folder / "kubeconfig"
    content = {"current-context": context, "clusters": [{"name": context, "cluster": {"server": server}}]}
    path.write_text(yaml.safe_dump(content))
    return path


def test_our_own_cluster_is_let_through(tmp_path: Path) -> None:
    cluster.guard(kubeconfig(tmp_path, "kind-drydock", "https://127.0.0.1:40123"))


@pytest.mark.parametrize(
    ("context", "server", "reason"),
    [
        ("production", "https://127.0.0.1:40123", "'production'"),
        ("kind-other", "https://127.0.0.1:40123", "'kind-other'"),
        ("kind-drydock", "https://api.example.com:6443", "api.example.com"),
    ],
)
def test_every_other_cluster_is_refused(tmp_path: Path, context: str, server: str, reason: str) -> None:
    with pytest.raises(CannotRunError) as caught:
        cluster.guard(kubeconfig(tmp_path, context, server))

    assert reason in caught.value.reason
    assert "refused" in caught.value.reason


def test_kubectl_is_not_even_started_for_a_cluster_that_is_not_ours(tmp_path: Path) -> None:
    never = tmp_path / "kubectl-that-does-not-exist"
    path = kubeconfig(tmp_path, "production", "https://127.0.0.1:1")

    with pytest.raises(CannotRunError, match="refused"):
        Cluster(kind=never, kubectl=never, kubeconfig=path).call("delete", "namespace", "shop")


def test_without_a_cluster_the_remedy_is_to_create_one(tmp_path: Path) -> None:
    with pytest.raises(CannotRunError) as caught:
        cluster.guard(tmp_path / "kubeconfig")

    assert "drydock up" in caught.value.remedy


def test_nodes_find_every_registry_at_ours_and_fall_back_to_its_publisher() -> None:
    files = registry.hosts_files()

    assert files["localhost:5001/hosts.toml"] == '[host."http://drydock-registry:5000"]\n'
    docker = files["docker.io/hosts.toml"]
    assert 'server = "https://registry-1.docker.io"' in docker
    assert '[host."http://drydock-registry:5000/v2/docker.io"]' in docker
    assert "override_path = true" in docker
    assert {"quay.io/hosts.toml", "ghcr.io/hosts.toml", "registry.k8s.io/hosts.toml"} <= files.keys()


def test_tools_find_the_registry_by_the_config_map_of_kep_1755() -> None:
    config_map = yaml.safe_load(registry.hosting())

    assert (config_map["metadata"]["namespace"], config_map["metadata"]["name"]) == (
        "kube-public",
        "local-registry-hosting",
    )
    hosting = yaml.safe_load(config_map["data"]["localRegistryHosting.v1"])
    assert hosting["host"] == "localhost:5001"
    assert "hostFromContainerRuntime" not in hosting, "Tilt would write a name into the pods that no node knows"
