"""Runs the scaling drill twice: CPU alone does not scale a service that waits for its database."""

from collections.abc import Sequence

from rich.table import Table

from drydock.analysis.scaling import marks
from drydock.analysis.scaling.scaling_analysis import ScalingAnalysis
from drydock.cluster.platform import KindPlatform
from drydock.core.console import message, output_console
from drydock.core.errors import FailedError
from drydock.core.project import Project
from drydock.drills import experiment
from drydock.drills.scale import Scale
from drydock.report import scaling_page as pages
from drydock.report.scaling_page import ScalingRun
from drydock.runs.folder import CONFIGURATION, RunFolder
from drydock.runs.verdict import Check, Verdict
from drydock.targets.kind import KindTarget

NAME = "scale-compare"


def run(project: Project) -> tuple[Verdict, RunFolder]:
    """Runs the drill with CPU as the only trigger, then as deployed. Writes a folder for each run and the comparison.

    Raises what `experiment.run` raises.
    """
    message("Run 1 of 2 scales by CPU alone, run 2 by CPU and request rate.")
    alone = _run(project, "CPU alone", cpu_only=True)
    both = _run(project, "CPU and request rate", cpu_only=False)
    verdict = decide(alone, both)
    folder = RunFolder.create(project, NAME)
    folder.write_json(CONFIGURATION, both.configuration)
    folder.conclude(verdict, 0)
    pages.write_comparison(folder, verdict, [alone, both], rows([alone, both]))
    _show([alone, both])
    return verdict, folder


def decide(alone: ScalingRun, both: ScalingRun) -> Verdict:
    """The checks of the run with the rate, and a check that the rate made the difference."""
    first, second = (run.analysis.seconds(marks.READY) for run in (alone, both))
    better = second is not None and (first is None or second < first)
    check = Check(
        "the request rate brings pods sooner than CPU alone",
        better,
        "the first new pod is ready sooner than with CPU alone",
        f"{_seconds(second)}; with CPU alone {_seconds(first)}",
    )
    figures = {
        **both.verdict.figures,
        **{f"cpu_alone_{name}": value for name, value in alone.verdict.figures.items()},
    }
    summary = f"First new pod with CPU alone: {_seconds(first)}; with the request rate: {_seconds(second)}"
    return Verdict(NAME, "drill", summary, [*both.verdict.checks, check], figures, both.verdict.warnings)


def rows(runs: Sequence[ScalingRun]) -> list[tuple[str, list[str]]]:
    """The table: each mark, then p95 under load, pods and losses, one column for each run."""
    marks = zip(*(run.marks for run in runs), strict=True)
    figures = [run.verdict.figures for run in runs]
    return [
        *((mark[0].title, [_seconds(it.seconds) for it in mark]) for mark in marks),
        ("p95 under load", [f"{it['p95_under_load_ms']:.0f} ms" for it in figures]),
        ("requests a second under load", [f"{it['requests_per_second_under_load']:.0f}" for it in figures]),
        ("most pods desired", [f"{it['pods_wanted']:.0f}" for it in figures]),
        ("requests lost", [f"{it['lost']:,.0f} of {it['sent']:,.0f}" for it in figures]),
    ]


def _run(project: Project, title: str, *, cpu_only: bool) -> ScalingRun:
    drill = Scale(project.configuration.drills.scale, cpu_only=cpu_only)
    verdict, folder = experiment.run(drill, KindTarget(KindPlatform(project)))
    message(f"{title}: {verdict.summary}")
    return ScalingRun(title, _analysis_of(drill), verdict, folder.read_json(CONFIGURATION), narrow=True)


def _analysis_of(drill: Scale) -> ScalingAnalysis:
    if drill.analysis is None:
        raise FailedError("the drill has no verdict")
    return drill.analysis


def _show(runs: Sequence[ScalingRun]) -> None:
    table = Table("", *(run.title for run in runs), box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for title, values in rows(runs):
        table.add_row(title, *values)
    output_console().print(table)


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
