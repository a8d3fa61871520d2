"""The kind cluster: created once, repaired when a step of its creation or a reboot left it half up."""

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
# Creation took about a minute with the node image present; a slow disk may need several.
CREATE_WAIT = "5m"
READY_SECONDS = 120.0
# Long enough for a cluster that is up; one whose creation was interrupted never gets there.
UNFINISHED_SECONDS = 15.0
# A file in the control plane's container, there once creation came to its end: the hash of what it was made from.
CONTROL_PLANE = f"{NAME}-control-plane"
FINISHED_MARK = "/kind/drydock-finished"


@dataclass(frozen=True)
class Cluster:
    """Our cluster, by the programs that reach it and a kubeconfig that knows no other."""

    kind: Path
    kubectl: Path
    kubeconfig: Path

    def ensure(self, configuration: Path, progress: Step) -> None:
        """Creates the cluster, or starts its stopped nodes, or replaces one whose creation was interrupted."""
        wanted = fingerprint(configuration)
        if not self._revive(progress):
            progress.detail = "creating"
            self._create(configuration)
            if not self._comes_up(READY_SECONDS, progress):
                raise CannotRunError("a node of the new cluster did not become ready", "Run `drydock doctor`.")
            progress.detail += ", created"
        made_from = _mark() or wanted
        _set_mark(made_from)
        if made_from != wanted:
            progress.detail += f"; {configuration.name} has changed since: `drydock down`, then `up`, applies it"

    def delete(self) -> None:
        """Deletes the cluster, whatever state it is in."""
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        self._kind("delete", "cluster", "--name", NAME, "--kubeconfig", str(self.kubeconfig))

    def know_registry(self) -> None:
        """Connects nodes and registry, and announces it to tools inside the cluster."""
        registry.join_network()
        for node in cluster_nodes():
            registry.teach(node)
        self.apply("--filename", "-", stdin=registry.hosting())

    def call(self, *arguments: str, stdin: str = "") -> str:
        """Runs kubectl against our cluster and no other; returns what it printed."""
        return output(self.command(*arguments), stdin=stdin)

    def command(self, *arguments: str) -> list[str]:
        """The command line of kubectl against our cluster and no other, for whoever runs it himself."""
        guard(self.kubeconfig)
        return [str(self.kubectl), "--kubeconfig", str(self.kubeconfig), "--context", CONTEXT, *arguments]

    def apply(self, *source: str, stdin: str = "") -> None:
        """Brings the cluster to what `source`, options of `kubectl apply`, says: it wins where another has a say."""
        self.call("apply", "--server-side", "--force-conflicts", *source, stdin=stdin)

    def get(self, *arguments: str) -> Any:
        """What `kubectl get ... --output json` says."""
        return json.loads(self.call("get", *arguments, "--output", "json"))

    def ready_nodes(self) -> int:
        """How many nodes are Ready; 0 where the API server does not answer."""
        try:
            nodes = self.get("nodes", "--request-timeout=5s")["items"]
        except FailedError:
            return 0
        return sum(ready(node) for node in nodes)

    def environment(self) -> Mapping[str, str]:
        """The environment in which Tilt and kubectl reach our cluster and no other."""
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
        """Whether there is a cluster that comes up; one that was never finished is deleted."""
        nodes = cluster_nodes()
        if not nodes:
            return False
        if stopped := sorted(name for name, state in nodes.items() if state != "running"):
            progress.detail = f"starting {len(stopped)} stopped nodes"
            docker.docker("start", *stopped)
        if self._comes_up(READY_SECONDS if _mark() else UNFINISHED_SECONDS, progress):
            return True
        progress.detail = "replacing one that was never finished"
        self.delete()
        return False

    def _comes_up(self, seconds: float, progress: Step) -> bool:
        """Whether all nodes are Ready in time; at once no where kubeadm never finished on the control plane."""
        if not self._write_kubeconfig():
            return False
        count = len(cluster_nodes())

        def all_ready() -> bool:
            ready_now = self.ready_nodes()
            progress.detail = f"{ready_now} of {count} nodes ready"
            return ready_now == count

        return wait_until(all_ready, seconds, interval=1)

    def _write_kubeconfig(self) -> bool:
        """Fetches it anew each time: the port of the API server changes when its container starts again."""
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
    """The state of each node's container, by name; empty where there is no cluster."""
    return docker.containers(OURS)


def fingerprint(configuration: Path) -> str:
    """The SHA-256 of what a YAML file says, whatever its comments."""
    return hashlib.sha256(json.dumps(yaml.safe_load(configuration.read_text())).encode()).hexdigest()


def _mark() -> str | None:
    """The SHA-256 of the configuration that the cluster was made from, or None where its creation was interrupted."""
    try:
        return docker.docker("exec", CONTROL_PLANE, "cat", FINISHED_MARK).strip() or None
    except FailedError:
        return None


def _set_mark(made_from: str) -> None:
    docker.docker("exec", "--interactive", CONTROL_PLANE, "cp", "/dev/stdin", FINISHED_MARK, stdin=made_from)


def guard(kubeconfig: Path) -> None:
    """Refuses every kubeconfig but one that leads to our cluster on this machine.

    Raises:
        CannotRunError: it is missing, its context is another one, or its API server is not on the loopback interface.
    """
    remedy = "Run `drydock up`; it writes the right one."
    if not kubeconfig.exists():
        raise CannotRunError(f"there is no {kubeconfig}: no cluster was created from here", remedy)
    content = yaml.safe_load(kubeconfig.read_text()) or {}
    context = content.get("current-context")
    if context != CONTEXT:
        raise CannotRunError(f"{kubeconfig} is set to the context {context!r}, not {CONTEXT!r}: refused", remedy)
    for item in content.get("clusters") or []:
        server = urlsplit(item["cluster"]["server"])
        if server.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise CannotRunError(f"{kubeconfig} leads to {server.geturl()}, which is not this machine: refused", remedy)


def ready(item: Any) -> bool:
    """Whether a node or pod has the condition Ready."""
    conditions = item["status"].get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
