"""The report of the scaling drill, for one run or for two side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from drydock.analysis.scaling import shares
from drydock.analysis.scaling.marks import Mark
from drydock.analysis.scaling.scaling_analysis import ScalingAnalysis
from drydock.report.page import FILE, TEMPLATES
from drydock.runs.folder import CONFIGURATION, RunFolder
from drydock.runs.verdict import Verdict


@dataclass(frozen=True)
class ScalingRun:
    """A run on the page."""

    title: str
    analysis: ScalingAnalysis
    verdict: Verdict
    configuration: Mapping[str, Any]
    narrow: bool = False

    @property
    def marks(self) -> Sequence[Mark]:
        return self.analysis.marks

    @property
    def length(self) -> float:
        """Seconds from the step to the last mark: the length of the horizontal timeline."""
        return max([mark.seconds for mark in self.marks if mark.seconds is not None], default=1.0) or 1.0

    @property
    def loaded(self) -> float:
        """Seconds from the step to the end of the load."""
        evidence = self.analysis.evidence
        return min((evidence.load_off or evidence.step) - evidence.step, self.length)

    @property
    def spread(self) -> shares.Spread | None:
        """The shares of the pods at the maximum of ready pods."""
        return shares.at_the_top(self.analysis.evidence)

    @property
    def chart(self) -> Markup:
        """Pods, trigger values, latency and rate on one time axis."""
        # Imported here: matplotlib takes a second to load, and most commands draw no chart.
        from drydock.report import scaling_charts

        objective = self.analysis.objectives.p95_seconds
        # matplotlib escapes its texts.
        chart = scaling_charts.scaling(self.analysis.evidence, self.marks, objective, narrow=self.narrow)
        return Markup(chart)  # noqa: S704


def write(folder: RunFolder, analysis: ScalingAnalysis, verdict: Verdict) -> None:
    """Writes report.html of one run."""
    title = "The scaling drill"
    _write(folder, title, verdict, [ScalingRun(title, analysis, verdict, folder.read_json(CONFIGURATION))], rows=[])


def write_comparison(
    folder: RunFolder, verdict: Verdict, runs: Sequence[ScalingRun], rows: Sequence[tuple[str, Sequence[str]]]
) -> None:
    """Writes report.html of two runs side by side; `rows` is their common table."""
    _write(folder, "Scaling by CPU alone and by request rate", verdict, runs, rows)


def _write(
    folder: RunFolder,
    title: str,
    verdict: Verdict,
    runs: Sequence[ScalingRun],
    rows: Sequence[tuple[str, Sequence[str]]],
) -> None:
    page = TEMPLATES.get_template("scaling.html.j2")
    folder.path(FILE).write_text(page.render(title=title, folder=folder.name, verdict=verdict, runs=runs, rows=rows))
