"""The judge's Job can reach the service, has a sufficient deadline, and gets its settings from drydock.toml."""

from typing import Any
from urllib.parse import urlsplit

from drydock.core.project import Project
from drydock.judge.exports import ENDPOINT, PORT, SCRAPE_SECONDS
from drydock.judge.plan import VARIABLE
from drydock.judge.spans import FLUSH_SECONDS, IDENTITY
from drydock.judge_client import smoke
from drydock.judge_client.job import BEGIN_SECONDS
from drydock.load import jobs
from drydock.manifests.objects import Findings, Object, container, environment, find
from tests.manifests.conftest import ROOT

CONFIGURATION = Project.find(ROOT).configuration


def after_the_last_request() -> float:
    answers = CONFIGURATION.judge.timeout_seconds + CONFIGURATION.judge.long_seconds
    return answers + FLUSH_SECONDS + SCRAPE_SECONDS


def test_the_grace_period_covers_the_requests_in_flight(judge: list[Object]) -> None:
    pod = find(judge, "Job", "judge")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > after_the_last_request()


def test_the_deadline_of_the_job_covers_a_whole_run(judge: list[Object]) -> None:
    job = find(judge, "Job", "judge")
    jobs.adjust(judge, "an image", {}, seconds=60)
    whole = BEGIN_SECONDS + 60 + after_the_last_request()
    assert job["spec"]["activeDeadlineSeconds"] >= whole + 30, "nothing is left for a pull"


def test_the_judge_sends_to_the_kubernetes_service(parity: list[Object]) -> None:
    workload = CONFIGURATION.workload
    judge = smoke.on_kind(Project.find(ROOT), smoke.Load(20, 60))
    assert urlsplit(judge.plan.url).hostname == f"{workload.service}.{workload.namespace}"
    assert find(parity, "Service", workload.service)["spec"]["ports"][0]["port"] == 80


def test_the_network_policies_allow_the_needed_connections(judge: list[Object], parity: list[Object]) -> None:
    assert closed_ways(judge, parity) == []


def test_the_network_policies_allow_no_other_connections(judge: list[Object], parity: list[Object]) -> None:
    service, collector = find(judge, "NetworkPolicy", "judge")["spec"]["egress"]
    [peer] = service["to"]
    workload = CONFIGURATION.workload
    assert peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == workload.namespace
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == workload.deployment
    declared = [port["name"] for port in container(parity, "Deployment", workload.deployment)["ports"]]
    assert [port["port"] for port in service["ports"]] == declared
    assert [port["port"] for port in collector["ports"]] == ["otlp-http"]


def test_a_blocked_connection_is_found(judge: list[Object], parity: list[Object]) -> None:
    find(judge, "NetworkPolicy", "judge")["spec"]["egress"].pop()
    find(judge, "NetworkPolicy", "judge")["spec"]["ingress"].pop()
    assert closed_ways(judge, parity) == ["no way to collector", "no way from prometheus"]


def test_the_job_sets_the_variables_that_the_judge_reads(judge: list[Object]) -> None:
    names = {variable["name"] for variable in container(judge, "Job", "judge")["env"]}
    assert names == {VARIABLE, PORT, ENDPOINT, *IDENTITY.values()} - {"SERVICE_VERSION"}


def test_the_judge_is_scraped_on_the_port_it_listens_on(judge: list[Object]) -> None:
    spec = container(judge, "Job", "judge")
    [port] = [item["containerPort"] for item in spec["ports"]]
    assert environment(judge, spec)[PORT] == str(port)
    annotations = find(judge, "Job", "judge")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(port)


def test_long_requests_outlive_the_pre_stop_wait(parity: list[Object]) -> None:
    hook: dict[str, Any] = container(parity, "Deployment", CONFIGURATION.workload.deployment)["lifecycle"]["preStop"]
    assert CONFIGURATION.judge.long_seconds > hook["sleep"]["seconds"]


def test_drydock_toml_and_the_service_agree_on_the_backlog_seconds(defaults: dict[str, Any]) -> None:
    assert CONFIGURATION.shutdown.backlog_seconds == defaults["SETTLE_SECONDS"]


def test_every_drill_sends_at_least_ten_thousand_requests_at_200_a_second() -> None:
    disruptions = CONFIGURATION.drills.disruptions
    assert disruptions.rate >= 200
    assert disruptions.least_requests >= 10_000


def closed_ways(judge: list[Object], parity: list[Object]) -> Findings:
    """The blocked connections between the judge and the parts that it needs or that scrape it."""
    policy = find(judge, "NetworkPolicy", "judge")["spec"]
    to = [(part, port) for rule in policy["egress"] for part, port in _ends(rule, rule["to"])]
    by = [(part, port) for rule in policy["ingress"] for part, port in _ends(rule, rule["from"])]
    findings = []
    for part, port in [("shop", "http"), ("collector", "otlp-http")]:
        declared = [item["name"] for item in container(parity, "Deployment", part)["ports"]]
        if (part, port) not in to or port not in declared:
            findings.append(f"no way to {part}")
    declared = [item["name"] for item in container(judge, "Job", "judge")["ports"]]
    if ("prometheus", "metrics") not in by or "metrics" not in declared:
        findings.append("no way from prometheus")
    return findings


def _ends(rule: Object, peers: list[Object]) -> list[tuple[str, str]]:
    names = [peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in peers]
    return [(name, port["port"]) for name in names for port in rule["ports"]]
