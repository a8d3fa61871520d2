"""The scaling drill's page: self-contained, complete, and safe whatever a component said."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from drydock.analysis.scaling.scaling_evidence import ScalingEvidence
from drydock.drills import scale_comparison
from drydock.report import scaling_page as pages
from drydock.report.page import FILE
from drydock.report.scaling_page import ScalingRun
from drydock.runs.folder import CONFIGURATION, RunFolder
from drydock.runs.verdict import Check
from tests.unit.drydock import recorded_drill
from tests.unit.drydock.recorded_drill import judged, with_autoscaler

ELSEWHERE = re.compile(r"""(?:src|href)=["'](?!#)|url\((?!#)|@import|<script|<link""")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path)
    run.write_json(CONFIGURATION, recorded_drill.CONFIGURATION)
    return run


def test_the_page_needs_nothing_from_elsewhere(folder: RunFolder) -> None:
    pages.write(folder, judged(), judged().verdict())

    assert not ELSEWHERE.findall(folder.path(FILE).read_text())


def test_it_says_the_verdict_every_check_every_mark_every_pod_and_the_versions(folder: RunFolder) -> None:
    verdict = judged().verdict()
    pages.write(folder, judged(), verdict)

    page = unescape(folder.path(FILE).read_text())
    spread = ScalingRun("", judged(), verdict, {}).spread
    assert spread is not None
    said = [verdict.summary, *(check.observed for check in verdict.checks), *(mark.title for mark in judged().marks)]
    versions = [recorded_drill.CONFIGURATION["commit"], *recorded_drill.CONFIGURATION["images"]]
    assert [text for text in (*said, *spread.shares, *versions) if text not in page] == []
    assert page.count("<svg") == 1


def test_the_text_of_its_chart_is_text(folder: RunFolder) -> None:
    pages.write(folder, judged(), judged().verdict())

    assert "seconds since the step</text>" in folder.path(FILE).read_text()


def test_what_a_component_says_cannot_become_markup(folder: RunFolder) -> None:
    verdict = judged().verdict()
    hostile = Check("<script>alert(1)</script>", False, '"><img src=x>', "<b>")

    pages.write(folder, judged(), replace(verdict, checks=[*verdict.checks, hostile]))

    page = folder.path(FILE).read_text()
    assert "<script" not in page
    assert "<img" not in page


def test_a_run_that_failed_is_a_page_too(folder: RunFolder) -> None:
    held = judged(with_autoscaler(lambda _, state: {**state, "desired": 2}))
    pages.write(folder, held, held.verdict())

    page = unescape(folder.path(FILE).read_text())
    assert "the desired replicas stayed at 2" in page
    assert "missing" in page


def test_a_run_of_which_nothing_came_is_a_page_too(folder: RunFolder) -> None:
    nothing = judged(replace(recorded_drill.evidence(), records=()))
    pages.write(folder, nothing, nothing.verdict())

    assert "failed" in folder.path(FILE).read_text()


class TestComparison:
    """Two runs side by side: CPU alone, and the request rate too."""

    def run(self, title: str, evidence: ScalingEvidence | None = None) -> ScalingRun:
        analysis = judged(evidence)
        return ScalingRun(title, analysis, analysis.verdict(), recorded_drill.CONFIGURATION, narrow=True)

    def held(self) -> ScalingRun:
        return self.run("CPU alone", with_autoscaler(lambda _, state: {**state, "desired": 2}))

    def test_both_are_on_one_page_with_their_table(self, folder: RunFolder) -> None:
        runs = [self.held(), self.run("CPU and request rate")]
        pages.write_comparison(folder, scale_comparison.decide(*runs), runs, scale_comparison.rows(runs))

        page = unescape(folder.path(FILE).read_text())
        assert page.count("<svg") == 2
        assert dict(scale_comparison.rows(runs))["the desired replicas rise"][0] == "never"
        assert all(value in page for _, values in scale_comparison.rows(runs) for value in values)

    def test_the_rate_has_to_make_the_difference(self) -> None:
        same = self.run("CPU alone")
        verdict = scale_comparison.decide(same, self.run("CPU and request rate"))

        assert [check.name for check in verdict.failed] == ["the request rate brings pods sooner than CPU alone"]
