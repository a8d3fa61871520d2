"""The load generator's Job gives it what it reads, the time that it may take, and a way to whoever it talks to."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from drydock.manifests.objects import Findings, Object, container, environment, find
from drydock.traffic import shopper, spans
from drydock.traffic.options import Options


@pytest.fixture
def options(load: list[Object], monkeypatch: pytest.MonkeyPatch) -> Options:
    """The options as the Job's container reads them."""
    for name, value in environment(load, container(load, "Job", "traffic")).items():
        monkeypatch.setenv(name, value)
    return Options.read([])


def after_the_last_request(options: Options) -> float:
    return options.timeout + spans.FLUSH_SECONDS + options.scrape_wait


def test_the_job_has_time_for_all_of_a_run(load: list[Object], options: Options) -> None:
    whole = shopper.PATIENCE_SECONDS + options.seconds + after_the_last_request(options)
    assert find(load, "Job", "traffic")["spec"]["activeDeadlineSeconds"] >= whole + 30, "nothing is left for a pull"


def test_a_pod_that_is_told_to_end_has_time_to_account_for_what_it_sent(load: list[Object], options: Options) -> None:
    pod = find(load, "Job", "traffic")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > after_the_last_request(options)


def test_it_asks_the_service_by_its_service(options: Options, parity: list[Object], instrument: dict[str, Any]) -> None:
    workload = instrument["workload"]
    assert urlsplit(options.url).hostname == f"{workload['service']}.{workload['namespace']}"
    assert find(parity, "Service", workload["service"])["spec"]["ports"][0]["port"] == 80


def test_nothing_stands_between_it_and_those_it_talks_to(load: list[Object], parity: list[Object]) -> None:
    assert closed_ways(load, parity) == []


def test_a_way_that_is_closed_is_found(load: list[Object], parity: list[Object]) -> None:
    find(load, "NetworkPolicy", "traffic")["spec"]["egress"].pop()
    find(load, "NetworkPolicy", "traffic")["spec"]["ingress"].pop()
    assert closed_ways(load, parity) == ["no way to collector", "no way from prometheus"]


def closed_ways(load: list[Object], parity: list[Object]) -> Findings:
    """The parts that the load generator talks to, or that talk to it, and cannot."""
    policy = find(load, "NetworkPolicy", "traffic")["spec"]
    to = [(part, port) for rule in policy["egress"] for part, port in _ends(rule, rule["to"])]
    by = [(part, port) for rule in policy["ingress"] for part, port in _ends(rule, rule["from"])]
    findings = []
    for part, port in [("shop", "http"), ("collector", "otlp-http")]:
        declared = [item["name"] for item in container(parity, "Deployment", part)["ports"]]
        if (part, port) not in to or port not in declared:
            findings.append(f"no way to {part}")
    declared = [item["name"] for item in container(load, "Job", "traffic")["ports"]]
    if ("prometheus", "metrics") not in by or "metrics" not in declared:
        findings.append("no way from prometheus")
    return findings


def _ends(rule: Object, peers: list[Object]) -> list[tuple[str, str]]:
    names = [peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in peers]
    return [(name, port["port"]) for name in names for port in rule["ports"]]
