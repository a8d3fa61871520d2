"""The numbers of the shutdown; `drydock check` knows that they fit in the grace period."""

from typing import Any

import pytest

from drydock.check.rule import apply
from drydock.check.shutdown import RULES
from drydock.check.subject import RenderedWorkload, Subject


@pytest.fixture
def workloads(subject: Subject) -> dict[str, RenderedWorkload]:
    return {it.name: it for it in subject.workloads()}


@pytest.mark.parametrize(("name", "seconds"), [("shop", 33), ("receipts", 21)])
def test_the_whole_budget_is_what_the_manifest_says(
    name: str, seconds: int, workloads: dict[str, RenderedWorkload]
) -> None:
    assert workloads[name].budget.total == seconds


@pytest.mark.parametrize("name", ["shop", "receipts"])
def test_the_manifests_set_each_step_to_the_services_own_default(
    name: str, workloads: dict[str, RenderedWorkload], defaults: dict[str, Any]
) -> None:
    """The check counts a step without a variable as 0 s."""
    workload = workloads[name]
    shutdown = workload.configuration.shutdown
    steps = [*(shutdown.drain if workload.behind_a_service else ()), *shutdown.graceful, *shutdown.close]
    assert {step: float(workload.variables[step]) for step in steps} == {step: defaults[step] for step in steps}


def test_what_a_worker_has_in_hand_can_be_finished(
    workloads: dict[str, RenderedWorkload], defaults: dict[str, Any]
) -> None:
    variables = workloads["receipts"].variables
    rendering = float(variables.get("RECEIPT_RENDER_SECONDS", defaults["RECEIPT_RENDER_SECONDS"]))
    assert rendering < float(variables["GRACEFUL_SECONDS"])


def test_the_local_platform_has_the_same_grace(subject: Subject) -> None:
    assert subject.project.configuration.local.grace_seconds == subject.service.budget.grace


@pytest.mark.parametrize(
    ("name", "step", "sum_"),
    [
        ("shop", "DRAIN_SECONDS", "preStop 5 + drain 30 + graceful 17 + close 6 = 58 s of 45 s"),
        ("receipts", "GRACEFUL_SECONDS", "preStop 0 + drain 0 + graceful 30 + close 6 = 36 s of 30 s"),
    ],
)
def test_a_longer_step_in_the_configuration_is_found(
    name: str, step: str, sum_: str, subject: Subject, workloads: dict[str, RenderedWorkload]
) -> None:
    workloads[name].container["env"].append({"name": step, "value": "30"})
    [result] = [it for it in apply(RULES, subject) if it.rule.identifier == "shutdown/budget-fits"]
    assert [(it.workload, it.observed) for it in result.broken] == [(name, sum_)]
