"""Every shutdown drill, one after the other, and the table of what came of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from drydock.core.console import message, output_console
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project
from drydock.drills import catalogue, experiment
from drydock.drills.disruption import OWN_CONTROL, Disruption
from drydock.targets.target import Target


@dataclass(frozen=True)
class DrillResult:
    """One run in the table. `well` is whether it came out as it should: a negative control should fail."""

    drill: str
    result: str
    as_expected: bool
    sent: str = ""
    lost: str = ""
    allowed: str = ""
    seconds: str = ""
    says: str = ""
    orders: str = ""
    missing: str = ""


def run(project: Project, target: Target, *, controls: bool, times: int) -> list[DrillResult]:
    """Runs them all; a drill that could not run is in the table, and the others go on.

    Raises:
        KeyboardInterrupt: Ctrl-C, when all is put back.
    """
    lines: list[DrillResult] = []
    for drill in _chosen(project, target, controls=controls, times=times):
        message(f"\n{len(lines) + 1}. {drill.name}")
        lines.append(_run(drill, target))
        message(f"{lines[-1].drill}: {lines[-1].result}. {lines[-1].says}")
    return lines


def table(lines: Sequence[DrillResult]) -> Table:
    """What came of them."""
    shown = Table("drill", "", "sent", "lost", "expected", "seconds", "orders", "missing", "", box=None, pad_edge=False)
    for column in range(2, 8):
        shown.columns[column].justify = "right"
    for line in lines:
        style = "" if line.as_expected else "red"
        cells = (line.result, line.sent, line.lost, line.allowed, line.seconds, line.orders, line.missing, line.says)
        shown.add_row(line.drill, *cells, style=style)
    return shown


def show(lines: Sequence[DrillResult]) -> None:
    """Prints the table. Raises FailedError where one did not come out as it should."""
    output_console().print(table(lines))
    if wrong := [line.drill for line in lines if not line.as_expected]:
        raise FailedError(f"not as it should be: {', '.join(wrong)}", "drydock runs list; open each report.html")


def _chosen(project: Project, target: Target, *, controls: bool, times: int) -> Iterable[Disruption[Any]]:
    settings = project.configuration.drills.disruptions
    fitting = [kind for kind in catalogue.DISRUPTIONS if target.name in kind.platforms]
    for _ in range(times):
        for kind in fitting:
            yield kind(settings, against=OWN_CONTROL if controls else None)


def _run(drill: Disruption[Any], target: Target) -> DrillResult:
    control = drill.against is not None
    try:
        verdict, _ = experiment.run(drill, target)
    except CannotRunError as error:
        return DrillResult(drill.name, "could not run", as_expected=False, says=error.reason.splitlines()[0])
    except FailedError as error:
        return DrillResult(drill.name, "went wrong", as_expected=False, says=error.reason.splitlines()[0])
    figures = verdict.figures
    failed = ", ".join(check.name for check in verdict.failed)
    causes = drill.analysis.count_causes(drill.analysis.losses) if drill.analysis else ""
    return DrillResult(
        drill.name,
        "passed" if verdict.passed else "failed, as it must" if control else "failed",
        as_expected=verdict.passed is not control,
        sent=f"{figures['sent']:,.0f}",
        lost=f"{figures['lost']:,.0f}",
        allowed=f"{figures['allowed']:,.0f}",
        seconds=f"{figures['seconds']:.0f}",
        says="; ".join(text for text in (failed, causes) if text),
        orders=f"{figures.get('orders_acknowledged', 0):,.0f}",
        missing=f"{figures.get('acknowledged_but_missing', 0):,.0f}",
    )
