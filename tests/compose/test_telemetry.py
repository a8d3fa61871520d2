"""Every signal of a request arrives in compose, without noise."""

import json
from typing import Any

import pytest

from tests.compose.project import PROJECT, URL, compose, environment
from tests.telemetry.expectations import *  # noqa: F403
from tests.telemetry.smoke import send
from tests.telemetry.stack import Stack


@pytest.fixture(scope="module")
def stack() -> Stack:
    # Without Kubernetes there are no attributes of a pod, node or namespace.
    identity = {"service.name", "service.version", "service.instance.id"}
    return Stack.at(URL, PROJECT.configuration.telemetry.compose, log_lines, identity)


@pytest.fixture(scope="module")
def smoke() -> None:
    """Half a minute of requests from inside compose's network."""
    send(PROJECT, "compose", environment())


def log_lines() -> list[dict[str, Any]]:
    """The service's log lines of the last 5 minutes."""
    output = compose("logs", "--no-log-prefix", "--since=5m", "shop")
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]
