"""Outages of a part of the telemetry stack: stopped, frozen, unreachable. Each ends with its block."""

import contextlib
import json
from collections.abc import Iterator

from drydock import engine
from tests.e2e import cluster
from tests.polling import poll_until

NAMESPACE = "observability"
# Whose way to whom is cut to make a part unreachable, and where that policy is.
CALLERS = {
    "collector": ("shop", cluster.NAMESPACE),
    "jaeger": ("collector", NAMESPACE),
    "prometheus": ("jaeger", NAMESPACE),
}


@contextlib.contextmanager
def stopped(part: str) -> Iterator[None]:
    """No pod of it: connections are refused."""
    _kubectl("scale", f"deployment/{part}", "--replicas=0")
    _kubectl("wait", "--for=delete", "pod", "--selector", f"app.kubernetes.io/name={part}", "--timeout=60s")
    try:
        yield
    finally:
        _kubectl("scale", f"deployment/{part}", "--replicas=1")
        _kubectl("rollout", "status", f"deployment/{part}", "--timeout=120s")


@contextlib.contextmanager
def frozen(part: str) -> Iterator[None]:
    """SIGSTOP: connections are accepted by the kernel, and nobody ever answers."""
    node, process = _process(part)
    engine.docker("exec", node, "kill", "-STOP", process)
    try:
        yield
    finally:
        # Its liveness probe may have ended it by now.
        engine.docker("exec", node, "sh", "-c", f"kill -CONT {process} || true")
        _kubectl("rollout", "status", f"deployment/{part}", "--timeout=120s")


@contextlib.contextmanager
def unreachable(part: str) -> Iterator[None]:
    """Packets to it are dropped, for the caller's policy no longer allows any way out but DNS and Postgres."""
    caller, namespace = CALLERS[part]
    policy = json.loads(_kubectl("get", "networkpolicy", caller, "--output", "json", namespace=namespace))
    spec = policy["spec"]
    kept = [rule for rule in spec["egress"] if f'"{part}"' not in json.dumps(rule)]
    assert len(kept) < len(spec["egress"]), f"the policy {caller} does not name {part}"
    _kubectl("patch", "networkpolicy", caller, "--type=merge", "--patch", _egress(kept), namespace=namespace)
    try:
        yield
    finally:
        whole = _egress(spec["egress"])
        _kubectl("patch", "networkpolicy", caller, "--type=merge", "--patch", whole, namespace=namespace)


OUTAGES = {"stopped": stopped, "frozen": frozen, "unreachable": unreachable}


def _egress(rules: list[cluster.Object]) -> str:
    return json.dumps({"spec": {"egress": rules}})


def _process(part: str) -> tuple[str, str]:
    """The node and, as the node counts, the process id of a part's container."""
    selector = ("--selector", f"app.kubernetes.io/name={part}")
    pods = poll_until(lambda: json.loads(_kubectl("get", "pods", *selector, "--output", "json"))["items"], part)
    node, container = pods[0]["spec"]["nodeName"], pods[0]["status"]["containerStatuses"][0]["containerID"]
    search = f"grep --files-with-matches --no-messages {container.rpartition('/')[2]} /proc/[0-9]*/cgroup"
    found = engine.docker("exec", node, "sh", "-c", search).split()
    return node, found[0].split("/")[2]


def _kubectl(*arguments: str, namespace: str = NAMESPACE) -> str:
    return cluster.kubectl(*arguments, "--namespace", namespace)
