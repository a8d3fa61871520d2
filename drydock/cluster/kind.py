"""The kind cluster: creates it, and repairs it after a reboot or an interrupted creation."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from drydock.cluster import docker, registry
from drydock.core.console import Step
from drydock.core.errors import CannotRunError, FailedError
from drydock.system.processes import output
from drydock.system.wait import wait_until

NAME = "drydock"
CONTEXT = f"kind-{NAME}"
OURS = f"label=io.x-k8s.kind.cluster={NAME}"
# Creation takes about a minute when the node image is present, and several minutes on a slow disk.
CREATE_WAIT = "5m"
READY_SECONDS = 120.0
# Enough for a running cluster. A cluster whose creation was interrupted never becomes ready.
UNFINISHED_SECONDS = 15.0
CONTROL_PLANE = f"{NAME}-control-plane"
# Written into the control plane's container when creation ends: the hash of the cluster's configuration.
FINISHED_MARK = "/kind/drydock-finished"
# Beside it: the checkout that created the cluster.
OWNER_MARK = "/kind/drydock-checkout"
BY_FORCE = "To delete it all the same: drydock down --force"


@dataclass(frozen=True)
class Cluster:
    """Drydock's cluster: the programs that manage it, and a kubeconfig with this cluster alone."""

    kind: Path
    kubectl: Path
    kubeconfig: Path

    def ensure(self, configuration: Path, progress: Step) -> None:
        """Creates the cluster, starts its stopped nodes, or replaces a cluster whose creation was interrupted.

        Raises:
            CannotRunError: the cluster could not be created, or another checkout's cluster does not become ready.
        """
        wanted = fingerprint(configuration)
        if not self._revive(progress):
            progress.detail = "creating"
            self._create(configuration)
            if not self._comes_up(READY_SECONDS, progress):
                raise CannotRunError("a node of the new cluster did not become ready", "Run `drydock doctor`.")
            progress.detail += ", created"
        used = _read(FINISHED_MARK) or wanted
        _write(FINISHED_MARK, used)
        if owner() is None:
            _write(OWNER_MARK, str(self.checkout))
        if used != wanted:
            progress.detail += f"; {configuration.name} has changed: run `drydock down`, then `drydock up`, to apply it"

    @property
    def checkout(self) -> Path:
        """The checkout that this object belongs to."""
        return self.kubeconfig.parent.parent

    def refuse_another_checkout(self) -> None:
        """Protects the cluster of another checkout from its deletion.

        Raises:
            CannotRunError: another checkout, which still exists, created the cluster, or its note cannot be read.
        """
        try:
            made_by = owner()
        except FailedError as error:
            reason = f"the note of the checkout that created the cluster cannot be read: {error.reason}"
            raise CannotRunError(reason, BY_FORCE) from error
        if made_by is not None and made_by != self.checkout and made_by.exists():
            reason = f"the cluster belongs to the checkout {made_by}"
            raise CannotRunError(reason, f"Run `drydock down` in {made_by}. {BY_FORCE}")

    def delete(self) -> None:
        """Deletes the cluster in any state."""
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        self._kind("delete", "cluster", "--name", NAME, "--kubeconfig", str(self.kubeconfig))

    def connect_registry(self) -> None:
        """Connects the nodes with the registry, and publishes its address to tools in the cluster (KEP-1755)."""
        registry.join_network()
        for node in cluster_nodes():
            registry.teach(node)
        self.apply("--filename", "-", stdin=registry.hosting())

    def call(self, *arguments: str, stdin: str = "") -> str:
        """Runs kubectl against drydock's cluster; returns its output.

        Raises:
            CannotRunError: the kubeconfig points at another cluster.
            FailedError: kubectl failed.
        """
        return output(self.command(*arguments), stdin=stdin)

    def command(self, *arguments: str) -> list[str]:
        """The command line of kubectl against drydock's cluster. Raises CannotRunError as `guard` does."""
        guard(self.kubeconfig)
        return [str(self.kubectl), "--kubeconfig", str(self.kubeconfig), "--context", CONTEXT, *arguments]

    def apply(self, *source: str, stdin: str = "") -> None:
        """Applies `source` (options of `kubectl apply`) on the server, and takes ownership of conflicting fields."""
        self.call("apply", "--server-side", "--force-conflicts", *source, stdin=stdin)

    def get(self, *arguments: str) -> Any:
        """The parsed output of `kubectl get ... --output json`."""
        return json.loads(self.call("get", *arguments, "--output", "json"))

    def ready_nodes(self) -> int:
        """The number of Ready nodes; 0 if the API server does not answer."""
        try:
            nodes = self.get("nodes", "--request-timeout=5s")["items"]
        except FailedError:
            return 0
        return sum(ready(node) for node in nodes)

    def environment(self) -> Mapping[str, str]:
        """Variables that point Tilt and kubectl at drydock's cluster alone."""
        return {"KUBECONFIG": str(self.kubeconfig)}

    def _create(self, configuration: Path) -> None:
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        options = ["--config", str(configuration), "--kubeconfig", str(self.kubeconfig), "--wait", CREATE_WAIT]
        try:
            self._kind("create", "cluster", "--name", NAME, *options)
        except FailedError as error:
            remedy = docker.port_remedy(error.reason) or "Run `drydock doctor`."
            raise CannotRunError(f"the cluster could not be created: {error.reason}", remedy) from error

    def _revive(self, progress: Step) -> bool:
        """Whether a cluster exists and becomes ready. Deletes it otherwise, unless another checkout created it."""
        nodes = cluster_nodes()
        if not nodes:
            return False
        if stopped := sorted(name for name, state in nodes.items() if state != "running"):
            progress.detail = f"starting {len(stopped)} stopped node{'s' if len(stopped) > 1 else ''}"
            docker.docker("start", *stopped)
        if self._comes_up(READY_SECONDS if _read(FINISHED_MARK) else UNFINISHED_SECONDS, progress):
            return True
        self.refuse_another_checkout()
        progress.detail = "replacing an unfinished cluster"
        self.delete()
        return False

    def _comes_up(self, seconds: float, progress: Step) -> bool:
        """Whether all nodes become Ready in time. False at once if kubeadm never finished on the control plane."""
        if not self._write_kubeconfig():
            return False
        count = len(cluster_nodes())

        def all_ready() -> bool:
            ready_now = self.ready_nodes()
            progress.detail = f"{ready_now} of {count} nodes ready"
            return ready_now == count

        return wait_until(all_ready, seconds, interval=1)

    def _write_kubeconfig(self) -> bool:
        """Fetches the kubeconfig again, because a restart of the container changes the API server's port."""
        try:
            content = self._kind("get", "kubeconfig", "--name", NAME)
        except FailedError:
            return False
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(content)
        return True

    def _kind(self, *arguments: str) -> str:
        return output([str(self.kind), *arguments])


def cluster_nodes() -> dict[str, str]:
    """The state of each node's container by name; empty without a cluster."""
    return docker.containers(OURS)


def fingerprint(configuration: Path) -> str:
    """The SHA-256 of a YAML file's content. Comments do not count."""
    return hashlib.sha256(json.dumps(yaml.safe_load(configuration.read_text())).encode()).hexdigest()


def owner() -> Path | None:
    """The checkout that created the cluster; None without a cluster, or where none is noted.

    Raises:
        FailedError: the engine does not give the note.
    """
    made_by = _read(OWNER_MARK)
    return Path(made_by) if made_by else None


def _read(mark: str) -> str | None:
    """The content of a mark in the control plane's container, which need not run; None without it."""
    return (docker.read_file(CONTROL_PLANE, mark) or "").strip() or None


def _write(mark: str, content: str) -> None:
    docker.docker("exec", "--interactive", CONTROL_PLANE, "cp", "/dev/stdin", mark, stdin=content)


def guard(kubeconfig: Path) -> None:
    """Refuses every kubeconfig that does not point at drydock's cluster on this machine.

    Raises:
        CannotRunError: it is missing, has another context, or its API server is not on the loopback interface.
    """
    remedy = "Run `drydock up`: it writes this file."
    if not kubeconfig.exists():
        raise CannotRunError(f"there is no {kubeconfig}: this checkout has created no cluster", remedy)
    content = yaml.safe_load(kubeconfig.read_text()) or {}
    context = content.get("current-context")
    if context != CONTEXT:
        raise CannotRunError(f"{kubeconfig} is set to the context {context!r}, not {CONTEXT!r}: refused", remedy)
    for item in content.get("clusters") or []:
        server = urlsplit(item["cluster"]["server"])
        if server.hostname not in {"127.0.0.1", "localhost", "::1"}:
            reason = f"{kubeconfig} points at {server.geturl()}, which is not on this machine: refused"
            raise CannotRunError(reason, remedy)


def ready(item: Any) -> bool:
    """Whether a node or pod has the condition Ready."""
    conditions = item["status"].get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
