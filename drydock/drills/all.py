"""Runs every shutdown drill in turn and prints a table of the results."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from drydock.analysis.disruption_analysis import Analysis
from drydock.core.console import message, output_console
from drydock.core.errors import CannotRunError, FailedError, InconclusiveError
from drydock.core.project import Disruptions
from drydock.drills import drill_catalogue, experiment
from drydock.drills.disruption import OWN_CONTROL, Disruption
from drydock.runs.verdict import Result, Verdict
from drydock.targets.target import Target

INCONCLUSIVE = "inconclusive"
# The figures of the table and their titles. `acknowledged` counts the audited requests with an Idempotency-Key,
# `violations` is the sum over the audit.
COLUMNS = {"sent": "sent", "lost": "lost", "allowed": "expected", "seconds": "seconds"}
COLUMNS |= {"acknowledged": "acknowledged", "violations": "violations"}


@dataclass(frozen=True)
class DrillResult:
    """One row of the table. A negative control is as expected if it fails.

    `figures` has a number for each of `COLUMNS` if the drill ran.
    """

    drill: str
    result: str
    as_expected: bool
    figures: Mapping[str, int] = field(default_factory=dict)
    note: str = ""


def last_note(lines: Sequence[DrillResult]) -> str:
    """The note of the last run."""
    return lines[-1].note


def run(
    drills: Iterable[Disruption[Any]], target: Target, note: Callable[[Sequence[DrillResult]], str] = last_note
) -> list[DrillResult]:
    """Runs the drills in turn; prints a `note` on all results after each. A drill that cannot run gets a row.

    Raises:
        KeyboardInterrupt: Ctrl-C, after the service is restored.
    """
    lines: list[DrillResult] = []
    for drill in drills:
        message(f"\n{len(lines) + 1}. {drill.name}")
        lines.append(_run(drill, target))
        message(f"{lines[-1].drill}: {lines[-1].result}. {note(lines)}")
    return lines


def table(lines: Sequence[DrillResult]) -> Table:
    shown = Table("drill", "", box=None, pad_edge=False)
    for title in COLUMNS.values():
        shown.add_column(title, justify="right")
    shown.add_column("")
    for line in lines:
        counts = (f"{line.figures[name]:,}" if name in line.figures else "" for name in COLUMNS)
        shown.add_row(line.drill, line.result, *counts, line.note, style="" if line.as_expected else "red")
    return shown


def show(lines: Sequence[DrillResult]) -> None:
    """Prints the table.

    Raises:
        FailedError: a result is not as expected.
        InconclusiveError: a run was inconclusive, and every other result is as expected.
    """
    output_console().print(table(lines))
    remedy = "drydock runs list; open each report.html"
    unexpected = [line for line in lines if not line.as_expected]
    if wrong := [line.drill for line in unexpected if line.result != INCONCLUSIVE]:
        raise FailedError(f"unexpected results: {', '.join(wrong)}", remedy)
    if unexpected:
        raise InconclusiveError(f"inconclusive: {', '.join(line.drill for line in unexpected)}", remedy)


def chosen(target: Target, settings: Disruptions, *, controls: bool, times: int) -> Iterable[Disruption[Any]]:
    """Every drill of the platform, or its negative control, this many times."""
    fitting = [kind for kind in drill_catalogue.DISRUPTIONS if target.name in kind.platforms]
    for _ in range(times):
        for kind in fitting:
            yield kind(settings, against=OWN_CONTROL if controls else None)


def _run(drill: Disruption[Any], target: Target) -> DrillResult:
    try:
        verdict, _ = experiment.run(drill, target)
    except CannotRunError as error:
        return DrillResult(drill.name, "could not run", as_expected=False, note=error.reason.splitlines()[0])
    except FailedError as error:
        return DrillResult(drill.name, "went wrong", as_expected=False, note=error.reason.splitlines()[0])
    result, as_expected = _result(drill, verdict)
    return DrillResult(
        drill.name,
        result,
        as_expected=as_expected,
        figures={**_counts(verdict), **_audited(drill.analysis)},
        note=_note(verdict, drill.analysis),
    )


def _result(drill: Disruption[Any], verdict: Verdict) -> tuple[str, bool]:
    """The result in words, and whether it is as expected. A negative control must fail the check that it is for."""
    result = INCONCLUSIVE if verdict.result is Result.UNKNOWN else str(verdict.result)
    if drill.against is None:
        return result, verdict.passed
    if drill.control_check in {check.name for check in verdict.failed}:
        return "failed, as it must", True
    return result if result == INCONCLUSIVE else f"{result}, but not by {drill.control_check!r}", False


def _counts(verdict: Verdict) -> dict[str, int]:
    return {name: round(verdict.figures[name]) for name in ("sent", "lost", "allowed", "seconds")}


def _audited(analysis: Analysis | None) -> dict[str, int]:
    if analysis is None:
        return {}
    acknowledged = {it.key for it in analysis.evidence.records if it.key and not it.lost}
    violations = sum(count or 0 for count in analysis.audit.violations.values())
    return {"acknowledged": len(acknowledged), "violations": violations}


def _note(verdict: Verdict, analysis: Analysis | None) -> str:
    """The failed and the unknown checks, then the causes of the losses."""
    failed = ", ".join(check.name for check in (*verdict.failed, *verdict.unknown))
    causes = analysis.count_causes(analysis.losses) if analysis else ""
    return "; ".join(text for text in (failed, causes) if text)
