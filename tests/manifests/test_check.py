"""`drydock check`: holds for what is deployed, and each rule is broken by something."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from drydock.check.catalogue import RULES
from drydock.check.rule import Result, Rule, apply
from drydock.check.subject import PROBES, RenderedWorkload, Subject
from drydock.cli import main
from drydock.cli.check import Format, written
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project
from drydock.drills.disruptions.migrate import LOCKING
from drydock.drills.drill_catalogue import DISRUPTIONS
from drydock.local.merge import merged
from drydock.manifests import patches
from drydock.manifests.objects import find
from tests.manifests.conftest import ROOT

PROJECT = Project.find(ROOT)
CONTROLS = sorted(path.stem for path in (ROOT / patches.CONTROLS).glob("*.yaml"))
# What the check must say of each negative control; parity with compose is broken beside it.
SEEN = {
    "eager-liveness": {"probes/liveness-asks-for-life", "probes/readiness-sheds-first", "probes/liveness-is-patient"},
    "lying-readiness": {"probes/readiness-asks-for-readiness"},
    "no-drain": {"shutdown/drains"},
    "no-flush": {"shutdown/prestop-sleeps", "shutdown/budget-fits"},
    "no-prestop": {"shutdown/prestop-sleeps", "shutdown/listener-outlasts-propagation"},
    "no-protection": {"shutdown/prestop-sleeps", "shutdown/drains", "shutdown/in-flight-has-time"},
    "no-readiness": {"probes/readiness-asks-for-readiness", "probes/startup-has-time"},
    "no-startup-probe": {"probes/startup-asks-for-life", "probes/startup-has-time"},
    "short-grace": {"shutdown/budget-fits"},
}


@cache
def _rendered() -> Subject:
    return Subject.render(PROJECT, "parity")


def broken(subject: Subject) -> set[tuple[str, str]]:
    """The rules that do not hold, each with the workload for which it does not."""
    return {(result.rule.identifier, it.workload) for result in apply(RULES, subject) for it in result.broken}


def copied() -> Subject:
    """What is deployed, so that a test may break it."""
    found = _rendered()
    return Subject(PROJECT, "parity", copy.deepcopy(found.objects), copy.deepcopy(found.compose), found.dockerfile)


def test_every_rule_holds_for_what_production_runs() -> None:
    lines = [line for result in apply(RULES, _rendered()) if result.broken for line in result.lines]
    assert lines == []


@pytest.mark.parametrize("overlay", ["dev", "parity"])
def test_the_rules_look_at_the_service_and_its_worker(overlay: str) -> None:
    subject = Subject.render(PROJECT, overlay)
    assert [it.name for it in subject.workloads()] == ["shop", "receipts"]
    assert [it.name for it in subject.behind_a_service()] == ["shop"]
    assert [it.name for it in subject.probed()] == ["shop", "receipts"]


def test_a_worker_without_http_needs_no_probes() -> None:
    subject = copied()
    for kind in PROBES:
        subject.workloads()[1].container.pop(kind)
    assert [it.name for it in subject.probed()] == ["shop"]


def test_a_worker_that_gets_a_service_is_held_to_the_services_rules() -> None:
    subject = copied()
    service = {"kind": "Service", "metadata": {"name": "receipts"}}
    subject.objects.append({**service, "spec": {"selector": {"app.kubernetes.io/name": "receipts"}}})
    assert {("shutdown/prestop-sleeps", "receipts"), ("rollout/one-disruption-budget", "receipts")} <= broken(subject)


def test_there_are_as_many_rules_as_the_documents_say_and_each_has_its_source_and_its_file() -> None:
    assert len({rule.identifier for rule in RULES}) == len(RULES)
    assert all(rule.source and rule.sentence.endswith(".") for rule in RULES)
    results = apply(RULES, _rendered())
    files = {result.rule.file.format(finding.workload) for result in results for finding in result.findings}
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("name", CONTROLS)
def test_each_negative_control_breaks_the_rules_that_it_is_for(name: str) -> None:
    assert broken(Subject.render(PROJECT, "parity", name)) >= {(rule, "shop") for rule in SEEN[name]}


def strategy(workload: RenderedWorkload) -> Any:
    return workload.item["spec"]["strategy"]["rollingUpdate"]


def budget(workload: RenderedWorkload) -> Any:
    return workload.disruption_budgets[0]["spec"]


def scaled_object(workload: RenderedWorkload) -> Any:
    return find(workload.subject.objects, "ScaledObject", workload.name)["spec"]


def add(workload: RenderedWorkload, name: str, value: str) -> None:
    """Sets a variable of the container."""
    workload.container.setdefault("env", []).append({"name": name, "value": value})


# Each is made to every workload that the rule applies to, one at a time.
BREAKING: dict[str, Callable[[Any], Any]] = {
    "shutdown/budget-fits": lambda it: it.pod.update(terminationGracePeriodSeconds=it.budget.total),
    "shutdown/listener-outlasts-propagation": lambda it: [
        it.container.pop("lifecycle"),
        it.container["env"].append({"name": "DRAIN_SECONDS", "value": "1"}),
    ],
    "shutdown/prestop-sleeps": lambda it: it.container.pop("lifecycle"),
    "shutdown/drains": lambda it: add(it, "DRAIN_SECONDS", "0"),
    "shutdown/in-flight-has-time": lambda it: add(it, "GRACEFUL_SECONDS", "3"),
    "shutdown/process-hears-sigterm": lambda it: it.container.update(command=["sh", "-c", "uvicorn app.main:app"]),
    "shutdown/no-reload": lambda it: it.container.update(command=["uvicorn", "app.main:app", "--reload"]),
    "probes/readiness-asks-for-readiness": lambda it: it.container.pop("readinessProbe"),
    "probes/liveness-asks-for-life": lambda it: it.container["livenessProbe"]["httpGet"].update(path="/health/ready"),
    "probes/startup-asks-for-life": lambda it: it.container.pop("startupProbe"),
    "probes/named-port": lambda it: it.container["readinessProbe"]["httpGet"].update(port=8000),
    "probes/timeouts-below-periods": lambda it: it.container["readinessProbe"].update(timeoutSeconds=5),
    "probes/startup-has-time": lambda it: it.container["startupProbe"].update(failureThreshold=3),
    "probes/liveness-is-patient": lambda it: it.container["livenessProbe"].update(failureThreshold=1),
    "probes/readiness-sheds-first": lambda it: it.container["livenessProbe"].update(failureThreshold=1),
    "rollout/none-unavailable": lambda it: strategy(it).update(maxUnavailable=1),
    "rollout/surges": lambda it: strategy(it).update(maxSurge=0),
    "rollout/two-pods": lambda it: scaled_object(it).update(minReplicaCount=1),
    "rollout/stall-is-reported": lambda it: it.item["spec"].pop("progressDeadlineSeconds"),
    "rollout/one-disruption-budget": lambda it: budget(it)["selector"].update(matchLabels={}),
    "rollout/drain-is-possible": lambda it: budget(it).update(maxUnavailable=0),
    "rollout/unhealthy-may-go": lambda it: budget(it).pop("unhealthyPodEvictionPolicy"),
    "rollout/spread": lambda it: it.pod.pop("topologySpreadConstraints"),
    "connections/limit-is-set": lambda it: it.container.update(args=[]),
    "connections/fit": lambda it: it.container.update(args=["-c", "max_connections=80"]),
    "parity/image": lambda it: it.container.update(image="drydock/shop:other"),
    "parity/command": lambda it: it.container.update(command=["another"]),
    "parity/environment": lambda it: add(it, "NEW", "1"),
    "parity/grace-period": lambda it: it.compose_service.update(stop_grace_period="9s"),
    "parity/limits": lambda it: it.container["resources"]["limits"].update(memory="1Gi"),
}


def test_something_breaks_each_rule() -> None:
    assert BREAKING.keys() == {rule.identifier for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda it: it.identifier)
def test_each_rule_can_be_broken_for_each_workload_and_says_what_to_do(rule: Rule) -> None:
    for name in [it.name for it in rule.applies_to(_rendered())]:
        subject = copied()
        [workload] = [it for it in rule.applies_to(subject) if it.name == name]
        BREAKING[rule.identifier](workload)

        [result] = apply([rule], subject)
        [finding] = result.broken
        assert finding.workload == name
        assert finding.remedy
        [line] = [it for it in result.lines if not it.startswith("  ok  ")]
        assert line.startswith(f"FAIL  {rule.identifier}: {name}: ")
        assert rule.source in line


def test_a_shell_around_the_images_command_is_found() -> None:
    subject = replace(_rendered(), dockerfile="CMD uvicorn app.main:app\n")
    assert ("shutdown/process-hears-sigterm", "shop") in broken(subject)


def test_dev_mode_breaks_only_what_an_edit_asks_for() -> None:
    assert broken(Subject.render(PROJECT, "dev")) == {
        ("shutdown/listener-outlasts-propagation", "shop"),
        ("shutdown/prestop-sleeps", "shop"),
        ("shutdown/drains", "shop"),
        ("shutdown/no-reload", "shop"),
        ("shutdown/no-reload", "receipts"),
        ("rollout/two-pods", "shop"),
        ("parity/command", "shop"),
        ("parity/command", "receipts"),
        ("parity/environment", "shop"),
        ("parity/environment", "migrate"),
        ("parity/grace-period", "shop"),
        ("parity/image", "migrate"),
    }


def test_every_drill_has_a_negative_control_that_there_is() -> None:
    assert {kind.negative_control for kind in DISRUPTIONS} - {LOCKING} <= set(CONTROLS)
    assert SEEN.keys() == set(CONTROLS)


@pytest.mark.parametrize("folder", [patches.CONTROLS, patches.VARIANTS], ids=str)
def test_each_patch_says_what_it_is_for_and_the_local_platform_reads_it_as_kubectl_does(folder: Path) -> None:
    before = yaml.safe_load((ROOT / PROJECT.configuration.local.deployment).read_text())
    for path in sorted((ROOT / folder).glob("*.yaml")):
        assert path.read_text().startswith("# "), f"{path.name} does not say what it is"
        patch = yaml.safe_load(path.read_text())
        after = merged(before, patch)
        assert after != before, f"{path.name} changes nothing"
        assert [it["name"] for it in after["spec"]["template"]["spec"]["containers"]] == ["shop"]
    if folder == patches.CONTROLS:
        for name in CONTROLS:
            rendered = Subject.render(PROJECT, "parity", name).service.container
            container = merged(before, patches.control(PROJECT, name))["spec"]["template"]["spec"]["containers"][0]
            for key in ("lifecycle", "startupProbe", "readinessProbe", "livenessProbe", "command"):
                assert container.get(key) == rendered.get(key), f"{name}: {key}"


def results() -> list[Result]:
    return apply(RULES, Subject.render(PROJECT, "parity", "short-grace"))


def test_sarif_has_every_rule_and_a_result_for_each_that_does_not_hold() -> None:
    content = json.loads(written(results(), Format.SARIF))

    jsonschema.validate(content, SARIF)
    [run] = content["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.identifier for rule in RULES]
    assert "shutdown/budget-fits" in {it["ruleId"] for it in run["results"]}
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_names_the_workload_and_its_own_file() -> None:
    subject = copied()
    find(subject.objects, "Deployment", "receipts")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 20
    [run] = json.loads(written(apply(RULES, subject), Format.SARIF))["runs"]

    [result] = [it for it in run["results"] if it["ruleId"] == "shutdown/budget-fits"]
    assert (
        "Observed: receipts: preStop 0 + drain 0 + graceful 15 + close 6 = 21 s of 20 s." in result["message"]["text"]
    )
    [location] = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "k8s/base/receipts/deployment.yaml"


# Of the schema of SARIF 2.1.0, what its readers insist on.
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {"required": ["driver"], "properties": {"driver": {"required": ["name", "rules"]}}},
                    "results": {
                        "items": {
                            "required": ["ruleId", "message", "level", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                            },
                        }
                    },
                },
            },
        },
    },
}


def test_junit_has_a_case_for_each_rule_and_a_failure_for_each_that_does_not_hold() -> None:
    suite = ElementTree.fromstring(written(results(), Format.JUNIT)).find("testsuite")  # noqa: S314 - our own

    assert suite is not None
    assert suite.get("tests") == str(len(RULES))
    failed = {case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None}
    assert "shutdown/budget-fits" in failed


def test_the_command_prints_a_line_for_each_rule_and_workload_and_ends_well_where_all_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    shown = CliRunner().invoke(main.app, ["check"])

    assert shown.exit_code == 0
    lines = [f"  ok  {rule.identifier}: {it.name}: " for rule in RULES for it in rule.applies_to(_rendered())]
    assert [it for it in zip(shown.output.splitlines(), lines, strict=True) if not it[0].startswith(it[1])] == []


def test_the_command_fails_and_names_the_rules_where_one_does_not_hold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    file = tmp_path / "check.sarif"
    shown = CliRunner().invoke(main.app, ["check", "--against", "no-drain", "--format", "sarif", "--output", str(file)])

    assert isinstance(shown.exception, FailedError)
    assert shown.exception.exit_code == 1
    assert "shutdown/drains" in shown.exception.reason
    assert json.loads(file.read_text())["version"] == "2.1.0"


@pytest.mark.parametrize("arguments", [["--overlay", "nowhere"], ["--against", "nothing"]], ids=" ".join)
def test_what_is_not_there_is_refused_with_what_there_is(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = CliRunner().invoke(main.app, ["check", *arguments])

    assert isinstance(shown.exception, CannotRunError)
    assert shown.exception.remedy.startswith("Choose ")


def test_the_document_has_every_rule() -> None:
    text = (ROOT / "docs" / "reference" / "check.md").read_text()
    assert [rule.identifier for rule in RULES if f"| `{rule.identifier}` | {rule.sentence} |" not in text] == []
