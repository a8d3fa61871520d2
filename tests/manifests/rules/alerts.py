"""Alerts: each says how urgent it is, what happened and what to do, and its tests show it firing and keeping silent."""

from collections.abc import Iterable, Iterator

from drydock.dashboards.queries import metric_names
from drydock.manifests.objects import Findings, Object

SEVERITIES = ("page", "ticket")
ANNOTATIONS = {"summary", "description", "action", "dashboard"}


def rules(files: Iterable[Object]) -> Iterator[Object]:
    """Every rule of these rule files."""
    for file in files:
        for group in file["groups"]:
            yield from group["rules"]


def alerts(files: Iterable[Object]) -> list[Object]:
    """Every alert of these rule files."""
    return [rule for rule in rules(files) if "alert" in rule]


def explained(files: Iterable[Object], dashboards: set[str]) -> Findings:
    """Whoever is called needs to know how urgent it is, the value, a first step, and where to look."""
    findings = []
    for alert in alerts(files):
        name, said = alert["alert"], alert.get("annotations", {})
        if alert.get("labels", {}).get("severity") not in SEVERITIES:
            findings.append(f"{name} has no severity of {SEVERITIES}")
        if missing := ANNOTATIONS - said.keys():
            findings.append(f"{name} lacks {sorted(missing)}")
        if "$value" not in said.get("description", ""):
            findings.append(f"{name} does not say its value")
        if said.get("dashboard", "").removeprefix("/d/") not in dashboards:
            findings.append(f"{name} leads to no dashboard")
    return findings


def shown_both_ways(files: Iterable[Object], tests: Iterable[Object]) -> Findings:
    """An alert that was never seen firing may be dead; one never seen silent may always fire."""
    shown = {
        (case["alertname"], bool(case["exp_alerts"]))
        for test in tests
        for part in test["tests"]
        for case in part.get("alert_rule_test", [])
    }
    wanted = [(alert["alert"], fires) for alert in alerts(files) for fires in (True, False)]
    words = {True: "firing", False: "keeping silent"}
    return [
        f"no test shows {name} {words[fires]}" for name, fires in dict.fromkeys(wanted) if (name, fires) not in shown
    ]


def metrics_used(files: Iterable[Object]) -> set[str]:
    """The metrics that these rules expect to be scraped: all they ask for, without what they record themselves."""
    found = list(rules(files))
    return {name for rule in found for name in metric_names(rule["expr"])} - {rule.get("record") for rule in found}
