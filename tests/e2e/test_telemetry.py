"""Every signal of a request arrives on kind, and nothing else does."""

import json
from typing import Any

import pytest

from tests.e2e import cluster
from tests.telemetry.expectations import *  # noqa: F403
from tests.telemetry.smoke import send
from tests.telemetry.stack import Stack

IDENTITY = {
    "service.name",
    "service.version",
    "service.instance.id",
    "k8s.pod.name",
    "k8s.node.name",
    "k8s.namespace.name",
}


@pytest.fixture(scope="module")
def stack(environment: None) -> Stack:
    configuration = cluster.PROJECT.configuration
    return Stack.at(cluster.SERVICE_URL, configuration.telemetry.kind, log_lines, IDENTITY)


@pytest.fixture(scope="module")
def smoke(environment: None) -> None:
    """Half a minute of traffic from inside the cluster."""
    send(cluster.PROJECT, "kind")


def log_lines() -> list[dict[str, Any]]:
    """What the service's pods said lately."""
    said = cluster.kubectl(
        "logs", "--selector", f"app.kubernetes.io/name={cluster.WORKLOAD.deployment}", "--since=5m", "--tail=-1"
    )
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]
