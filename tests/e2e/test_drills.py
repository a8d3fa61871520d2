"""Shutdown drills on kind, as a person runs them: a deleted pod, a rollout, a killed process, a negative control."""

from collections import Counter
from typing import Any

import pytest

from drydock.analysis import disruption_analysis
from drydock.analysis.causes import Cause
from drydock.analysis.pod_terminations import LINES, MARKS
from drydock.dashboards import document
from drydock.dashboards.queries import SCRAPE_SECONDS, Query, queries, substitute
from drydock.judge_client import start_delay
from drydock.runs.folder import CONFIGURATION, RunFolder
from drydock.runs.verdict import FILE as VERDICT
from tests.e2e import cluster
from tests.e2e.cluster import FEWEST_PODS
from tests.e2e.drill_command import drill
from tests.lifecycle import SHUTDOWN
from tests.telemetry.prometheus import Prometheus

SETTINGS = cluster.PROJECT.configuration.drills.disruptions
DRAIN_SECONDS = 5  # k8s/base/shop.env
SHUTDOWN_DASHBOARD = document.files(cluster.PROJECT.root)["shutdown"]
SHUTDOWN_MARKS = [LINES[event] for event in SHUTDOWN]
LANES = {"fresh", "kept", "long", "idle"}
CUT = {Cause.CUT_IN_FLIGHT, Cause.REFUSED_AFTER_REMOVAL, Cause.CLOSED_LISTENER, Cause.RESET_ON_KEPT_ALIVE}
# The checks of the service. On a busy machine other checks may fail: late requests, exhausted pool connections.
OURS = {"enough requests", "the service has recovered", "container restarts", "deleted pods exit without SIGKILL"}
OURS |= {"the shutdown fits the grace period"}
OURS |= {f"audit: {name.replace('_', ' ')}" for name in cluster.PROJECT.configuration.audit.violations}


# A rollout deletes every pod in the same way, so that the drill of one pod can wait for the night.
PARAMS = [pytest.param("delete-pod", marks=pytest.mark.nightly), "rollout"]


@pytest.fixture(scope="module", params=PARAMS)
def drilled(request: pytest.FixtureRequest, environment: None) -> RunFolder:
    """One complete run of each drill."""
    return drill(request.param)[1]


def passed(folder: RunFolder) -> dict[str, bool]:
    return {check["name"]: check["passed"] for check in folder.read_json(VERDICT)["checks"]}


def test_a_deleted_pod_ends_in_order_and_every_acknowledged_order_is_there(drilled: RunFolder) -> None:
    checks = passed(drilled)
    assert {name: checks[name] for name in OURS} == dict.fromkeys(OURS, True), drilled.read_json(VERDICT)


def test_nothing_is_cut_refused_or_reset(drilled: RunFolder) -> None:
    causes = drilled.read_json(disruption_analysis.FILE)["causes"]
    assert not CUT & causes.keys(), causes


def test_every_request_has_its_line_with_lane_connection_and_pod(drilled: RunFolder) -> None:
    sent = drilled.records()
    assert len(sent) == drilled.read_json(start_delay.FILE)["sent"] >= SETTINGS.least_requests
    assert {record.lane for record in sent} == LANES
    assert all(record.connection and record.pod for record in sent if not record.lost)
    kept = [(record.connection, record.position) for record in sent if record.lane == "kept"]
    assert len(set(kept)) == len(kept)


def test_every_pod_that_ends_does_so_in_order(drilled: RunFolder) -> None:
    ended = [it for it in drilled.read_json(disruption_analysis.FILE)["terminations"] if not it["restarted"]]
    assert len(ended) == (1 if drilled.name.endswith("delete-pod") else FEWEST_PODS)
    for termination in ended:
        marks = termination["marks"]
        assert marks.keys() == MARKS.keys()
        assert (termination["exit_code"], termination["reason"]) == (0, "Completed")
        assert marks["endpoint_out"] < marks["sigterm"]
        steps = [marks[name] for name in SHUTDOWN_MARKS]
        assert steps == sorted(steps), marks
        assert marks["drained"] - marks["sigterm"] == pytest.approx(DRAIN_SECONDS, abs=1), "the listener stays open"


def test_the_folder_says_it_all(drilled: RunFolder) -> None:
    assert {path.name for path in drilled.folder.iterdir()} == {
        *("configuration.json", "verdict.json", "junit.xml", "timeline.json", "requests.csv.gz", "report.html"),
        *("analysis.json", "judge.json"),
    }
    described: dict[str, Any] = drilled.read_json(CONFIGURATION)
    assert (described["mode"], described["platform"]) == ("parity", "kind")
    assert drilled.name.endswith(described["drill"])


def test_the_shutdown_dashboard_shows_the_requests_that_a_killed_process_loses() -> None:
    """The panels' own expressions over the time of the drill: what the judge lost is what they show."""
    _, folder = drill("kill-hard")
    sent = folder.records()
    lost = Counter(str(record.outcome) for record in sent if record.lost)
    assert lost, "a process that is killed loses the requests that it had"

    prometheus = Prometheus(cluster.PROJECT.configuration.telemetry.kind.prometheus)
    begin, end = min(record.intended for record in sent), max(record.ended for record in sent) + SCRAPE_SECONDS
    [(_, total)] = prometheus.samples(filled_in(panel("Lost requests"), end - begin), end)
    rates = prometheus.over(panel("Lost requests by outcome").expression, begin, end, SCRAPE_SECONDS)
    peaks = {labels["outcome"]: max(values, default=0.0) for labels, values in rates}
    [(_, success)] = prometheus.over(panel("Success seen by clients").expression, begin, end, SCRAPE_SECONDS)
    print(f"{lost} lost; on the dashboard {total:.1f}, at most {peaks} a second, success down to {min(success):.2%}")

    assert total == pytest.approx(lost.total(), rel=0.2, abs=2), "increase() interpolates between scrapes"
    assert {outcome for outcome, peak in peaks.items() if peak > 0} == lost.keys()
    assert min(success) < 1


def panel(title: str) -> Query:
    """The query of a panel of the Shutdown dashboard."""
    [found] = [it for it in queries(document.read(SHUTDOWN_DASHBOARD)) if it.panel == title]
    return found


def filled_in(query: Query, seconds: float) -> str:
    """The expression as Grafana sends it where so many seconds are shown."""
    return substitute(query.text.replace("$__range", f"{seconds:.0f}s"))


def test_the_negative_control_of_a_rollout_fails_with_the_cause_and_is_put_back() -> None:
    before = cluster.get("deployment", cluster.WORKLOAD.deployment)["spec"]["template"]["spec"]

    done, folder = drill("rollout", "--against", "control")

    assert done.returncode == 1, done.stderr[-3000:]
    assert not passed(folder)["requests lost"]
    assert CUT & folder.read_json(disruption_analysis.FILE)["causes"].keys()
    assert cluster.get("deployment", cluster.WORKLOAD.deployment)["spec"]["template"]["spec"] == before
    annotations = cluster.get("scaledobject", "shop")["metadata"].get("annotations", {})
    assert cluster.PAUSED_AT not in annotations
