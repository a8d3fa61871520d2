"""Outages of one component of the telemetry stack: stopped, frozen or unreachable. Each ends with its block."""

import contextlib
import json
from collections.abc import Iterator

from drydock.cluster import docker, node_processes
from drydock.cluster.kind import cluster_nodes
from drydock.cluster.stack import TELEMETRY_NAMESPACE
from tests.e2e import cluster


@contextlib.contextmanager
def stopped(part: str) -> Iterator[None]:
    """Scale it to zero: connections are refused."""
    _kubectl("scale", f"deployment/{part}", "--replicas=0")
    _kubectl("wait", "--for=delete", "pod", "--selector", f"app.kubernetes.io/name={part}", "--timeout=60s")
    try:
        yield
    finally:
        _kubectl("scale", f"deployment/{part}", "--replicas=1")
        _kubectl("rollout", "status", f"deployment/{part}", "--timeout=120s")


@contextlib.contextmanager
def frozen(part: str) -> Iterator[None]:
    """SIGSTOP: the kernel accepts connections, but the process never answers."""
    node, process = _process(part)
    docker.docker("exec", node, "kill", "-STOP", process)
    try:
        yield
    finally:
        # The liveness probe may already have restarted it.
        docker.docker("exec", node, "sh", "-c", f"kill -CONT {process} || true")
        _kubectl("rollout", "status", f"deployment/{part}", "--timeout=120s")


@contextlib.contextmanager
def unreachable(part: str) -> Iterator[None]:
    """Every node drops its packets. Unlike a NetworkPolicy, this also affects established connections."""
    address = _pod(part)["status"]["podIP"]
    rule = ("FORWARD", "--destination", address, "--jump", "DROP")
    nodes = cluster_nodes()
    for node in nodes:
        docker.docker("exec", node, "iptables", "--insert", *rule)
    try:
        yield
    finally:
        for node in nodes:
            docker.docker("exec", node, "iptables", "--delete", *rule)


OUTAGES = {"stopped": stopped, "frozen": frozen, "unreachable": unreachable}


def _process(part: str) -> tuple[str, str]:
    """The node of a component's pod, and the container's process ID on that node."""
    pod = _pod(part)
    node, container = pod["spec"]["nodeName"], pod["status"]["containerStatuses"][0]["containerID"]
    return node, node_processes.of_container(node, container)[0]


def _pod(part: str) -> cluster.Object:
    selector = ("--selector", f"app.kubernetes.io/name={part}", "--output", "json")
    found: cluster.Object = json.loads(_kubectl("get", "pods", *selector))["items"][0]
    return found


def _kubectl(*arguments: str) -> str:
    return cluster.kubectl(*arguments, "--namespace", TELEMETRY_NAMESPACE)
