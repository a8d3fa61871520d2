"""The autoscaler queries metrics that exist, and a missing metric never triggers scale-in."""

from collections.abc import Iterator

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.observability.platform_requests import PREFIXES
from app.observability.requests import REQUEST_SECONDS, REQUESTS
from drydock.core.project import Project
from drydock.manifests.objects import Object, find
from tests.manifests.conftest import ROOT
from tests.manifests.rules import triggers

type Exported = dict[str, set[str]]

REQUEST = ("GET", "/products/{product_id}", "200")
PROBES = Project.find(ROOT).configuration.probes
PLATFORM_PATHS = [PROBES.live, PROBES.ready, "/metrics"]


@pytest.fixture
def exported() -> Iterator[Exported]:
    """The service's metrics with their labels, as exported after its first request."""
    for metric in (REQUESTS, REQUEST_SECONDS):
        metric.labels(*REQUEST)
    families = text_string_to_metric_families(generate_latest().decode())
    found: Exported = {}
    for sample in (sample for family in families for sample in family.samples):
        found.setdefault(sample.name, set()).update(sample.labels)
    yield found
    for metric in (REQUESTS, REQUEST_SECONDS):
        metric.remove(*REQUEST)


@pytest.fixture
def target() -> set[str]:
    """The labels that Prometheus adds to a pod's metrics."""
    jobs = yaml.safe_load((ROOT / "observability" / "prometheus" / "scrape" / "kubernetes.yaml").read_text())
    pods = next(job for job in jobs["scrape_configs"] if job["job_name"] == "pods")
    return {rule["target_label"] for rule in pods["relabel_configs"] if "target_label" in rule}


def rate(parity: list[Object]) -> dict[str, str]:
    """The metadata of the trigger on the request rate."""
    found = find(parity, "ScaledObject", "shop")["spec"]["triggers"]
    metadata: dict[str, str] = next(trigger["metadata"] for trigger in found if trigger["name"] == "rate")
    return metadata


def test_the_metrics_and_their_labels_are_exported(parity: list[Object], exported: Exported, target: set[str]) -> None:
    assert triggers.ask_for_what_is_exported(parity, exported, target) == []


def test_probes_and_scrapes_do_not_count_as_load(parity: list[Object]) -> None:
    assert all(path.startswith(PREFIXES) for path in PLATFORM_PATHS)
    assert triggers.leave_the_platform_out(parity, "http_requests_total", PLATFORM_PATHS) == []


def test_a_query_returns_one_number(parity: list[Object]) -> None:
    assert triggers.give_one_number(parity) == []


def test_a_missing_metric_is_not_zero(parity: list[Object]) -> None:
    assert triggers.take_no_answer_for_no_zero(parity) == []


def test_the_trigger_uses_the_address_of_prometheus(parity: list[Object]) -> None:
    service = find(parity, "Service", "prometheus")
    address = f"http://prometheus.{service['metadata']['namespace']}:{service['spec']['ports'][0]['port']}"
    assert rate(parity)["serverAddress"] == address


def test_a_metric_that_is_not_exported_is_found(parity: list[Object], exported: Exported, target: set[str]) -> None:
    rate(parity)["query"] = 'sum(rate(requests_total{job="shop"}[30s]))'
    assert triggers.ask_for_what_is_exported(parity, exported, target) == [
        "ScaledObject/shop, trigger rate asks for requests_total, which the service does not export"
    ]


def test_a_label_that_does_not_exist_is_found(parity: list[Object], exported: Exported, target: set[str]) -> None:
    rate(parity)["query"] = 'sum(rate(http_requests_total{route!="/metrics"}[30s]))'
    assert triggers.ask_for_what_is_exported(parity, exported, target) == [
        "ScaledObject/shop, trigger rate asks for http_requests_total by ['route'], labels that it does not have"
    ]


@pytest.mark.parametrize("matcher", ["", '{handler!="/metrics"}', '{handler!~"/health"}'])
def test_a_rate_of_probes_is_found(parity: list[Object], matcher: str) -> None:
    rate(parity)["query"] = f"sum(rate(http_requests_total{matcher}[30s]))"
    found = triggers.leave_the_platform_out(parity, "http_requests_total", PLATFORM_PATHS)
    assert f"ScaledObject/shop, trigger rate counts {PROBES.ready}" in found


@pytest.mark.parametrize(
    "query",
    [
        "rate(http_requests_total[30s])",
        "sum by (pod) (rate(http_requests_total[30s]))",
        "sum(rate(http_requests_total[30s])) or http_requests_in_flight",
        "http_requests_in_flight and sum(up)",
        "sum(rate(http_requests_total[30s])) or vector(0)",
    ],
)
def test_a_query_with_many_results_is_found(parity: list[Object], query: str) -> None:
    rate(parity)["query"] = query
    assert triggers.give_one_number(parity) == ["ScaledObject/shop, trigger rate may have more than one result"]


def test_kedas_default_is_found(parity: list[Object]) -> None:
    del rate(parity)["ignoreNullValues"]
    find(parity, "ScaledObject", "shop")["spec"]["fallback"] = {"replicas": 2, "failureThreshold": 3}
    assert triggers.take_no_answer_for_no_zero(parity) == [
        "ScaledObject/shop has a fallback",
        "ScaledObject/shop, trigger rate reads no result as zero",
    ]
