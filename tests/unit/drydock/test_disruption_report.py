"""The page of a shutdown drill: self-contained, complete, and safe whatever a component said."""

from html import unescape
from pathlib import Path

import pytest

from drydock.analysis import disruption_analysis as analyses
from drydock.analysis.causes import SENTENCES, Cause
from drydock.core.project import Project
from drydock.report import disruption_page as pages
from drydock.report.page import FILE
from drydock.requests.outcome import Outcome
from drydock.runs.folder import RunFolder
from tests.unit.drydock import disrupted
from tests.unit.drydock.disrupted import ACTED, DESCRIBED, LEAVING, evidence, request
from tests.unit.drydock.test_drill_report import ELSEWHERE

SHUTDOWN = Project.find(Path(__file__).parent).configuration.shutdown
LOST = [
    request(ACTED + 10.6, Outcome.REFUSED, reason="[Errno 111] <Connection> refused"),
    request(ACTED + 10.15, Outcome.CLOSED_EARLY, lane="kept", position=7, connection=80_012),
    request(ACTED + 3.2, Outcome.RESET, took=7.0, lane="long"),
    request(ACTED + 10.15, Outcome.RESET),
]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def written(folder: RunFolder, found: analyses.Analysis, disclaimer: str = "", against: str | None = None) -> str:
    pages.write(folder, found, found.verdict(), {**DESCRIBED, "against": against}, SHUTDOWN, disclaimer)
    return unescape(folder.path(FILE).read_text())


def test_the_page_needs_nothing_from_elsewhere(folder: RunFolder) -> None:
    written(folder, disrupted.analysis())

    assert not ELSEWHERE.findall(folder.path(FILE).read_text())


def test_it_says_the_verdict_the_hypothesis_every_check_every_mark_the_budget_and_the_audit(folder: RunFolder) -> None:
    found = disrupted.analysis()
    page = written(folder, found)

    said = [found.hypothesis, found.verdict().summary, LEAVING, "33", "orders acknowledged", "exit code, reason"]
    said += [check.name for check in found.verdict().checks]
    said += ["preStop ends, SIGTERM, readiness 503", "last request received", "pool closed", "telemetry flushed"]
    assert [text for text in said if text not in page] == []
    assert "Lost requests" not in page, "nothing is lost"


def test_each_lost_request_is_there_with_its_connection_its_cause_and_what_to_change(folder: RunFolder) -> None:
    page = written(folder, disrupted.analysis(evidence(LOST)))

    for cause in (Cause.REFUSED_AFTER_REMOVAL, Cause.RESET_ON_KEPT_ALIVE, Cause.CUT_IN_FLIGHT):
        assert cause in page
        assert SENTENCES[cause] in page
    assert "80012, no. 8" in page
    assert "drain (DRAIN_SECONDS) before" in page
    assert "kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle" in page


def test_the_findings_of_the_probes_stand_beside_the_causes(folder: RunFolder) -> None:
    probe = request(LOST[1].ended, lane="probe")
    page = written(folder, disrupted.analysis(evidence([*LOST, probe])))

    assert "A probe on a new connection followed 1 of the 1 failures on reused connections: 1 reset" in page
    assert "A probe on a new connection" not in written(folder, disrupted.analysis())


def test_the_pause_before_a_lost_request_of_the_idle_lane_is_there(folder: RunFolder) -> None:
    idle = [request(ACTED, lane="idle", connection=9)]
    idle.append(request(idle[0].ended + 5, Outcome.RESET, lane="idle", connection=9, position=1))
    page = written(folder, disrupted.analysis(evidence(idle)))

    assert "1 of 1 requests of the lane idle were lost after a pause of 5.000 s" in page
    assert "of the lane idle were lost" not in written(folder, disrupted.analysis())


def test_what_a_component_says_is_text_and_not_markup(folder: RunFolder) -> None:
    written(folder, disrupted.analysis(evidence(LOST)))

    assert "<Connection>" not in folder.path(FILE).read_text()


def test_more_than_a_page_can_show_is_counted_and_all_of_it_is_in_the_account(folder: RunFolder) -> None:
    many = [request(ACTED + 1 + number / 1000, Outcome.REFUSED) for number in range(250)]
    page = written(folder, disrupted.analysis(evidence(many)))

    assert "The first 200 of 250" in page
    assert len(folder.read_json(analyses.FILE)["losses"]) == 250


def test_a_negative_control_and_local_processes_are_said_in_the_head(folder: RunFolder) -> None:
    page = written(folder, disrupted.analysis(), "This says nothing about Kubernetes.", "no-protection")

    assert "against no-protection" in page
    assert "this run must fail" in page
    assert "(local processes)" in page
    assert "This says nothing about Kubernetes." in page


def test_a_run_without_a_departure_or_an_answer_has_a_page_too(folder: RunFolder) -> None:
    nothing = [request(ACTED - 5 + number, Outcome.TIMED_OUT, took=10) for number in range(20)]
    page = written(folder, disrupted.analysis(evidence(nothing, disrupted.deletion()[:3], count=0)))

    assert "Pod terminations" not in page
    assert "timed out" in page
