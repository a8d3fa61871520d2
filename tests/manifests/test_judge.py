"""The judge's Job has a way to the service, the time that it may take, and all that drydock.toml tells it."""

from typing import Any

from drydock.core.project import Project
from drydock.judge.plan import VARIABLE
from drydock.manifests.objects import Object, container, find
from tests.manifests.conftest import ROOT

CONFIGURATION = Project.find(ROOT).configuration


def test_a_judge_that_is_told_to_end_has_time_for_the_last_answers(judge: list[Object]) -> None:
    pod = find(judge, "Job", "judge")["spec"]["template"]["spec"]
    last = CONFIGURATION.judge.timeout_seconds + CONFIGURATION.judge.long_seconds
    assert pod["terminationGracePeriodSeconds"] > last


def test_nothing_stands_between_it_and_the_service_and_it_reaches_nothing_else(
    judge: list[Object], parity: list[Object]
) -> None:
    [rule] = find(judge, "NetworkPolicy", "judge")["spec"]["egress"]
    [peer] = rule["to"]
    workload = CONFIGURATION.workload
    assert peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == workload.namespace
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == workload.deployment
    declared = [port["name"] for port in container(parity, "Deployment", workload.deployment)["ports"]]
    assert [port["port"] for port in rule["ports"]] == declared


def test_it_is_told_by_the_variable_that_it_reads(judge: list[Object]) -> None:
    assert [variable["name"] for variable in container(judge, "Job", "judge")["env"]] == [VARIABLE]


def test_long_requests_outlive_the_pre_stop_wait(parity: list[Object]) -> None:
    hook: dict[str, Any] = container(parity, "Deployment", CONFIGURATION.workload.deployment)["lifecycle"]["preStop"]
    assert CONFIGURATION.judge.long_seconds > hook["sleep"]["seconds"]


def test_the_backlogs_bound_is_the_services_own(defaults: dict[str, Any]) -> None:
    assert CONFIGURATION.shutdown.backlog_seconds == defaults["SETTLE_SECONDS"]


def test_every_drill_sends_at_least_ten_thousand_requests_at_200_a_second() -> None:
    disruptions = CONFIGURATION.drills.disruptions
    assert disruptions.rate >= 200
    assert disruptions.least_requests >= 10_000
