"""Every signal of a request arrives on kind, without noise."""

import json
import time
from typing import Any

import pytest

from drydock.dashboards.queries import SCRAPE_SECONDS
from tests.e2e import cluster
from tests.polling import poll_until
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
    """Half a minute of requests from inside the cluster."""
    send(cluster.PROJECT, "kind")


def test_a_terminating_pod_is_scraped_until_it_is_gone(stack: Stack) -> None:
    pod = cluster.shop_pods()[0]
    scraped = f'up{{job="{cluster.WORKLOAD.deployment}",pod="{pod}"}} == 1'
    poll_until(lambda: stack.prometheus.samples(scraped), f"{pod} to be scraped", 30)
    deleted = time.time()
    cluster.kubectl("delete", "pod", pod, "--timeout=60s")
    gone = time.time()
    last = stack.prometheus.value(f"max_over_time(timestamp({scraped})[2m:1s])")
    print(f"{pod} was gone {gone - deleted:.1f} s after its deletion, last scraped {gone - last:.1f} s before that")
    # It answers until its listener closes, about 10 s after the deletion, so at least one more scrape succeeds.
    assert last > deleted + SCRAPE_SECONDS


def log_lines() -> list[dict[str, Any]]:
    """The log lines of the service's pods in the last 5 minutes."""
    output = cluster.kubectl(
        "logs", "--selector", f"app.kubernetes.io/name={cluster.WORKLOAD.deployment}", "--since=5m", "--tail=-1"
    )
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]
