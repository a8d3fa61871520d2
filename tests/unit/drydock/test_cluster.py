from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml

from drydock.cluster import docker, kind, platform, registry
from drydock.cluster.kind import Cluster
from drydock.cluster.platform import KindPlatform
from drydock.core.console import Step
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project
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
    """A test double of Docker and kind: each node's container, the files of the control plane, and the calls so far."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, nodes: dict[str, str], mark: str | None, ready: bool) -> None:
        self.nodes, self.done = nodes, list[str]()
        self.files = {kind.FINISHED_MARK: mark} if mark else {}
        self.ready = ready
        monkeypatch.setattr(kind, "cluster_nodes", lambda: self.nodes)
        monkeypatch.setattr(kind, "READY_SECONDS", 0.0)
        monkeypatch.setattr(kind, "UNFINISHED_SECONDS", 0.0)
        monkeypatch.setattr(docker, "docker", self.docker)
        monkeypatch.setattr(Cluster, "ready_nodes", lambda _: len(self.nodes) if self.ready else 0)
        monkeypatch.setattr(Cluster, "_kind", self.kind)

    @property
    def mark(self) -> str | None:
        return self.files.get(kind.FINISHED_MARK)

    def docker(self, *arguments: str, stdin: str = "") -> str:
        """As the engine: `exec` needs a running container, `cp` does not."""
        if arguments[0] == "start":
            self.done.append(f"start {' '.join(arguments[1:])}")
            self.nodes |= dict.fromkeys(arguments[1:], "running")
        elif arguments[0] == "cp":
            container, _, path = arguments[1].partition(":")
            self.copy(container, path, Path(arguments[2]))
        elif self.nodes[kind.CONTROL_PLANE] != "running":
            raise FailedError("Error response from daemon: container 1 is not running")
        else:
            self.files[arguments[-1]] = stdin
        return ""

    def copy(self, container: str, path: str, to: Path) -> None:
        if container not in self.nodes:
            raise FailedError(f"Error response from daemon: No such container: {container}")
        if path not in self.files:
            raise FailedError(f"Error response from daemon: Could not find the file {path} in container {container}")
        to.write_text(self.files[path])

    def kind(self, *arguments: str) -> str:
        if arguments[0] != "get":
            self.done.append(arguments[0])
        if arguments[0] == "create":
            self.nodes, self.ready = {"drydock-control-plane": "running"}, True
        if arguments[0] == "delete":
            self.nodes, self.files = {}, {}
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
    fake = Engine(monkeypatch, dict(nodes), mark, ready)

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


@pytest.fixture
def checkouts(tmp_path: Path) -> Path:
    """A folder with two checkouts, `mine` and `another`."""
    for checkout in ("another", "mine"):
        (tmp_path / checkout).mkdir()
    return tmp_path


def cluster_of(checkout: Path) -> Cluster:
    return Cluster(Path("kind"), Path("kubectl"), checkout / ".local" / "kubeconfig")


@pytest.mark.parametrize("nodes", [RUNNING, HALF_STOPPED], ids=["running", "stopped"])
@pytest.mark.parametrize(
    ("made_by", "refused"),
    [("another", True), ("mine", False), ("deleted", False), (None, False)],
)
def test_the_cluster_of_another_checkout_is_not_deleted(
    made_by: str | None, refused: bool, nodes: dict[str, str], checkouts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Engine(monkeypatch, nodes, MARK, ready=True)
    if made_by:
        fake.files[kind.OWNER_MARK] = str(checkouts / made_by)

    with pytest.raises(CannotRunError, match=r"belongs to the checkout .*another") if refused else nullcontext():
        cluster_of(checkouts / "mine").refuse_another_checkout()


def test_without_a_cluster_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Engine(monkeypatch, {}, None, ready=False)

    cluster_of(tmp_path).refuse_another_checkout()


def test_a_cluster_whose_creator_cannot_be_read_is_deleted_only_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: str) -> str:
        raise FailedError("Error response from daemon: input/output error")

    Engine(monkeypatch, RUNNING, MARK, ready=True)
    monkeypatch.setattr(docker, "docker", broken)

    with pytest.raises(CannotRunError, match="input/output error") as refused:
        cluster_of(tmp_path).refuse_another_checkout()

    assert "drydock down --force" in refused.value.remedy


def test_up_does_not_replace_the_cluster_of_another_checkout(checkouts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Engine(monkeypatch, RUNNING, MARK, ready=False)
    fake.files[kind.OWNER_MARK] = str(checkouts / "another")

    with pytest.raises(CannotRunError, match="another"):
        cluster_of(checkouts / "mine").ensure(CONFIGURATION, Step("cluster"))

    assert fake.done == [], "the cluster was deleted"


def test_down_deletes_a_stopped_cluster_of_another_checkout_only_by_force(
    checkouts: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Engine(monkeypatch, dict(HALF_STOPPED), MARK, ready=False)
    fake.files[kind.OWNER_MARK] = str(checkouts / "another")
    monkeypatch.setattr(platform, "cluster_nodes", lambda: fake.nodes)
    monkeypatch.setattr(platform, "stop_tilt", lambda _: False)
    monkeypatch.setattr(KindPlatform, "cluster", property(lambda _: cluster_of(checkouts / "mine")))
    mine = KindPlatform(Project.find(CONFIGURATION.parent))

    with pytest.raises(CannotRunError, match="another"):
        mine.remove()
    assert fake.done == []

    assert mine.remove(force=True)
    assert fake.done == ["delete"]
