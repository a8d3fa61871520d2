"""The rules match the metrics of the running stack: Prometheus evaluates each, and the objectives have values."""

import httpx2
import pytest
import yaml

from drydock.dashboards.queries import SEEN_AFTER_FAILURE
from tests.e2e import cluster
from tests.manifests.rules import alerts
from tests.polling import poll_until
from tests.telemetry.prometheus import Prometheus
from tests.telemetry.smoke import send

FILES = [
    yaml.safe_load(path.read_text())
    for path in sorted((cluster.PROJECT.root / "observability" / "prometheus" / "rules").glob("*.yaml"))
]
PROMETHEUS = Prometheus(cluster.PROJECT.configuration.telemetry.kind.prometheus)
# kube-state-metrics exports a Job's failure only after there has been one.
AFTER_FAILURE = SEEN_AFTER_FAILURE | {"kube_job_failed"}


@pytest.fixture(scope="module", autouse=True)
def smoke(environment: None) -> None:
    """Some requests, so that the counters have values."""
    send(cluster.PROJECT, "kind")


def test_prometheus_evaluates_every_rule_and_finds_nothing_wrong() -> None:
    poll_until(lambda: {rule["health"] for rule in evaluated()} == {"ok"}, "every rule to be evaluated", 60)
    assert sorted(rule["name"] for rule in evaluated()) == sorted(
        rule.get("alert") or rule["record"] for rule in alerts.rules(FILES)
    )


def test_every_metric_of_the_rules_is_exported() -> None:
    wanted = alerts.metrics_used(FILES) - AFTER_FAILURE
    poll_until(lambda: wanted <= PROMETHEUS.metrics(), f"{sorted(wanted - PROMETHEUS.metrics())} to be exported", 60)


@pytest.mark.parametrize("slo", ["availability", "latency"])
def test_the_error_budget_has_a_number_once_there_was_traffic(slo: str) -> None:
    expression = f'slo:error_budget_remaining:ratio{{namespace="{cluster.NAMESPACE}", slo="{slo}"}}'
    [[_, left]] = poll_until(lambda: PROMETHEUS.samples(expression), expression, 60)
    assert left <= 1


def evaluated() -> list[dict[str, str]]:
    """The rules that Prometheus has loaded, with health and last error."""
    groups = httpx2.get(f"{PROMETHEUS.url}/api/v1/rules", timeout=5).raise_for_status().json()["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]
