"""The report of a shutdown drill."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from drydock.analysis import disruption_analysis as analyses
from drydock.analysis.advice import Advice, advice_on
from drydock.analysis.causes import SENTENCES, Cause, Loss
from drydock.analysis.disruption_analysis import Analysis
from drydock.analysis.pod_terminations import MARKS, PodTermination
from drydock.core.project import Shutdown
from drydock.report.page import FILE, TEMPLATES
from drydock.requests.outcome import Outcome
from drydock.runs.folder import RunFolder
from drydock.runs.verdict import Verdict

# The page lists this many losses; analysis.json has all of them.
MOST_LISTED = 200


@dataclass(frozen=True)
class CauseRow:
    """A row of the table of causes."""

    cause: Cause
    count: int
    sentence: str
    advice: Advice


@dataclass(frozen=True)
class BudgetRow:
    """A step of the shutdown: its budget, and its duration in each pod. Seconds; None if unobserved."""

    step: str
    planned: float | None
    observed: Sequence[float | None]


@dataclass(frozen=True)
class Page:
    """The values of the template."""

    analysis: Analysis
    configuration: Mapping[str, Any]
    shutdown: Shutdown
    disclaimer: str

    @property
    def outcomes(self) -> list[tuple[Outcome, list[int]]]:
        """The observed outcomes, each with its count in every lane and in total."""
        counts, lanes = self.analysis.outcomes, self.lanes
        rows = [(outcome, [counts[lane, outcome] for lane in lanes]) for outcome in Outcome]
        return [(outcome, [*row, sum(row)]) for outcome, row in rows if sum(row) or outcome is Outcome.OK]

    @property
    def lanes(self) -> list[str]:
        return list(dict.fromkeys(sorted(record.lane for record in self.analysis.evidence.records)))

    @property
    def causes(self) -> list[CauseRow]:
        """The causes, the most frequent first."""
        return [
            CauseRow(cause, count, SENTENCES[cause], advice_on(cause, self.shutdown))
            for cause, count in self.analysis.causes.most_common()
        ]

    @property
    def listed(self) -> list[Loss]:
        """The losses that the page lists: those that the objectives do not allow come first."""
        return sorted(self.analysis.losses, key=lambda loss: (loss.allowed, loss.record.intended))[:MOST_LISTED]

    @property
    def leaving(self) -> list[PodTermination]:
        """The terminations of deleted pods."""
        return [termination for termination in self.analysis.terminations if not termination.restarted]

    @property
    def arrivals(self) -> list[tuple[str, list[float | None]]]:
        """Rows with the last request that reached each leaving pod, in seconds after its deletion and after SIGTERM."""
        found = [self.analysis.arrivals[it.pod].as_json() for it in self.leaving]
        return [
            (f"last request on a {connection} connection, after {mark}", [it[key] for it in found])
            for connection, mark, key in (
                ("new", "the deletion", "last_new_after_deletion_s"),
                ("new", "SIGTERM", "last_new_after_sigterm_s"),
                ("kept-alive", "the deletion", "last_kept_after_deletion_s"),
                ("kept-alive", "SIGTERM", "last_kept_after_sigterm_s"),
            )
        ]

    @property
    def marks(self) -> Mapping[str, str]:
        """The titles of the marks of a termination, by name."""
        return MARKS

    @property
    def budget(self) -> list[BudgetRow]:
        """The steps of the shutdown, planned and observed."""
        planned = self.configuration.get("shutdown") or {}
        steps = [
            ("preStop", "prestop", "deleted", "sigterm"),
            ("drain", "drain", "sigterm", "drained"),
            ("backlog and requests in flight", "graceful", "drained", "pool_closed"),
            ("close the pool, flush telemetry", "close", "pool_closed", "stopped"),
            ("total", "total", "deleted", "ended"),
            ("grace period", "grace", "", ""),
        ]
        return [
            BudgetRow(title, planned.get(name), list(self._between(first, last))) for title, name, first, last in steps
        ]

    @property
    def chart(self) -> Markup:
        """Outcomes, latency and pods on one time axis."""
        # Imported here: matplotlib takes a second to load, and most commands draw no chart.
        from drydock.report import disruption_charts

        return Markup(disruption_charts.drill(self.analysis))  # noqa: S704 - matplotlib escapes its texts

    def _between(self, first: str, last: str) -> Iterator[float | None]:
        for termination in self.leaving:
            if not first:
                yield termination.grace
            elif first in termination.marks and last in termination.marks:
                yield max(0.0, termination.marks[last] - termination.marks[first])
            else:
                yield None


def write(
    folder: RunFolder,
    analysis: Analysis,
    verdict: Verdict,
    configuration: Mapping[str, Any],
    shutdown: Shutdown,
    disclaimer: str = "",
) -> None:
    """Writes report.html, and analysis.json with every loss and every termination."""
    folder.write_json(analyses.FILE, analysis.as_json())
    page = Page(analysis, configuration, shutdown, disclaimer)
    template = TEMPLATES.get_template("disruption.html.j2")
    text = template.render(page=page, analysis=analysis, verdict=verdict, folder=folder.name, most=MOST_LISTED)
    folder.path(FILE).write_text(text)
