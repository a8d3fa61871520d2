from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml

from drydock.cluster import docker, kind, registry
from drydock.cluster.kind import Cluster
from drydock.core.console import Step
from drydock.core.errors import CannotRunError, FailedError
from drydock.system.lock import exclusive


def kubeconfig(folder: Path, context: str, server: str) -> Path:
    path = folder / "kubeconfig"
    content = {"current-context": context, "clusters": [{"name": context, "cluster": {"server": server}}]}
    path.write_text(yaml.safe_dump(content))
    return path


def test_drydocks_own_cluster_is_accepted(tmp_path: Path) -> None:
    kind.guard(kubeconfig(tmp_path, "kind-drydock", "https://127.0.0.1:40123"))


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
        kind.guard(kubeconfig(tmp_path, context, server))

    assert reason in caught.value.reason
    assert "refused" in caught.value.reason


def test_kubectl_is_not_started_for_another_cluster(tmp_path: Path) -> None:
    never = tmp_path / "kubectl-that-does-not-exist"
    path = kubeconfig(tmp_path, "production", "https://127.0.0.1:1")

    with pytest.raises(CannotRunError, match="refused"):
        Cluster(kind=never, kubectl=never, kubeconfig=path).call("delete", "namespace", "shop")


def test_without_a_cluster_the_remedy_is_to_create_one(tmp_path: Path) -> None:
    with pytest.raises(CannotRunError) as caught:
        kind.guard(tmp_path / "kubeconfig")

    assert "drydock up" in caught.value.remedy


class Engine:
    """A test double of Docker and kind: the state of each node's container, the mark, and the calls so far."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, nodes: dict[str, str], mark: str | None, ready: bool) -> None:
        self.nodes, self.mark, self.done = nodes, mark, list[str]()
        self.ready = ready
        monkeypatch.setattr(kind, "cluster_nodes", lambda: self.nodes)
        monkeypatch.setattr(kind, "READY_SECONDS", 0.0)
        monkeypatch.setattr(kind, "UNFINISHED_SECONDS", 0.0)
        monkeypatch.setattr(docker, "docker", self.docker)
        monkeypatch.setattr(Cluster, "ready_nodes", lambda _: len(self.nodes) if self.ready else 0)
        monkeypatch.setattr(Cluster, "_kind", self.kind)

    def docker(self, *arguments: str, stdin: str = "") -> str:
        if arguments[0] == "start":
            self.done.append(f"start {' '.join(arguments[1:])}")
        elif "cp" in arguments:
            self.mark = stdin
        elif self.mark is None:
            raise FailedError("no such file")
        return self.mark or ""

    def kind(self, *arguments: str) -> str:
        if arguments[0] != "get":
            self.done.append(arguments[0])
        if arguments[0] == "create":
            self.nodes, self.ready = {"drydock-control-plane": "running"}, True
        if arguments[0] == "delete":
            self.nodes, self.mark = {}, None
        return ""


CONFIGURATION = Path(__file__).parents[3] / "k8s" / "kind.yaml"
RUNNING = {"drydock-control-plane": "running", "drydock-worker": "running"}
HALF_STOPPED = {"drydock-control-plane": "exited", "drydock-worker": "running"}
MARK = kind.fingerprint(CONFIGURATION)


@pytest.mark.parametrize(
    ("nodes", "mark", "ready", "done"),
    [
        pytest.param({}, None, False, ["create"], id="there is none"),
        pytest.param(RUNNING, MARK, True, [], id="it is up"),
        pytest.param(HALF_STOPPED, MARK, True, ["start drydock-control-plane"], id="a reboot stopped a node"),
        pytest.param(RUNNING, None, False, ["delete", "create"], id="its creation was interrupted"),
        pytest.param(RUNNING, None, True, [], id="someone else created it"),
    ],
)
def test_up_takes_only_the_missing_steps(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nodes: dict[str, str],
    mark: str | None,
    ready: bool,
    done: list[str],
) -> None:
    fake = Engine(monkeypatch, nodes, mark, ready)

    Cluster(Path("kind"), Path("kubectl"), tmp_path / "state" / "kubeconfig").ensure(CONFIGURATION, Step("cluster"))

    assert fake.done == done
    assert fake.mark == MARK, "a finished cluster has the mark"


def test_a_cluster_with_another_configuration_is_kept_with_a_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, progress = Engine(monkeypatch, RUNNING, "another", ready=True), Step("cluster")

    Cluster(Path("kind"), Path("kubectl"), tmp_path / "kubeconfig").ensure(CONFIGURATION, progress)

    assert fake.done == []
    assert "kind.yaml has changed" in progress.detail


def test_images_are_pushed_under_their_publishers_name_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, ...]] = []
    monkeypatch.setattr(docker, "docker", lambda *arguments: done.append(arguments))
    monkeypatch.setattr(registry, "holds", lambda image: image == "quay.io/x/y:2")
    progress = Step("registry")

    registry.push_missing(["postgres:18", "quay.io/x/y:2", "busybox@sha256:0123"], progress)

    local = "localhost:5001/docker.io/library/postgres:18"
    assert done == [("tag", "postgres:18", local), ("push", "--quiet", local)]
    assert progress.detail == "2 images, 1 pushed"


def test_two_commands_cannot_change_the_cluster_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRYDOCK_CACHE", str(tmp_path))

    with exclusive(), pytest.raises(CannotRunError, match="at work"), exclusive():
        pass
    with exclusive():
        pass


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


@pytest.mark.parametrize(
    ("made_by", "refused"),
    [("another", True), ("mine", False), ("deleted", False), (None, False)],
)
def test_the_cluster_of_another_checkout_is_not_deleted(
    made_by: str | None, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for checkout in ("another", "mine"):
        (tmp_path / checkout).mkdir()
    monkeypatch.setattr(kind, "owner", lambda: made_by and tmp_path / made_by)
    cluster = Cluster(Path("kind"), Path("kubectl"), tmp_path / "mine" / ".local" / "kubeconfig")

    with pytest.raises(CannotRunError, match=r"belongs to the checkout .*another") if refused else nullcontext():
        cluster.refuse_another_checkout()
