"""The page of a shutdown drill."""

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

# One by one up to here; the rest is in requests.csv.gz and analysis.json.
MOST_LISTED = 200


@dataclass(frozen=True)
class CauseRow:
    """One cause on the page."""

    cause: Cause
    count: int
    sentence: str
    advice: Advice


@dataclass(frozen=True)
class BudgetRow:
    """One step of the shutdown: what was planned for it, and what each pod took. Seconds; None was not seen."""

    step: str
    planned: float | None
    observed: Sequence[float | None]


@dataclass(frozen=True)
class Page:
    """What the template reads."""

    analysis: Analysis
    configuration: Mapping[str, Any]
    shutdown: Shutdown
    disclaimer: str

    @property
    def outcomes(self) -> list[tuple[Outcome, list[int]]]:
        """Each outcome that came, with its count in each lane and over all."""
        counts, lanes = self.analysis.outcomes, self.lanes
        rows = [(outcome, [counts[lane, outcome] for lane in lanes]) for outcome in Outcome]
        return [(outcome, [*row, sum(row)]) for outcome, row in rows if sum(row) or outcome is Outcome.OK]

    @property
    def lanes(self) -> list[str]:
        """The lanes that requests took."""
        return list(dict.fromkeys(sorted(record.lane for record in self.analysis.evidence.records)))

    @property
    def causes(self) -> list[CauseRow]:
        """Each cause, the most frequent first."""
        return [
            CauseRow(cause, count, SENTENCES[cause], advice_on(cause, self.shutdown))
            for cause, count in self.analysis.causes.most_common()
        ]

    @property
    def listed(self) -> list[Loss]:
        """The losses that are shown one by one: those that count first."""
        return sorted(self.analysis.losses, key=lambda loss: (loss.allowed, loss.record.intended))[:MOST_LISTED]

    @property
    def leaving(self) -> list[PodTermination]:
        """The pods that were deleted."""
        return [termination for termination in self.analysis.terminations if not termination.restarted]

    @property
    def marks(self) -> Mapping[str, str]:
        """The marks of a departure by their names."""
        return MARKS

    @property
    def budget(self) -> list[BudgetRow]:
        """Step by step, planned against observed."""
        planned = self.configuration.get("shutdown") or {}
        steps = [
            ("preStop", "prestop", "deleted", "sigterm"),
            ("drain", "drain", "sigterm", "drained"),
            ("backlog and requests in flight", "graceful", "drained", "pool_closed"),
            ("pool closed and telemetry flushed", "close", "pool_closed", "stopped"),
            ("all of it", "total", "deleted", "ended"),
            ("grace period", "grace", "", ""),
        ]
        return [
            BudgetRow(title, planned.get(name), list(self._between(first, last))) for title, name, first, last in steps
        ]

    @property
    def chart(self) -> Markup:
        """Everything on one time axis."""
        # Imported here: matplotlib takes a second to load, and most commands draw nothing.
        from drydock.report import disruption_charts

        return Markup(disruption_charts.drill(self.analysis))  # noqa: S704 - matplotlib escapes what it is given

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
    """Writes report.html, and analysis.json with every loss and every departure."""
    folder.write_json(analyses.FILE, analysis.as_json())
    page = Page(analysis, configuration, shutdown, disclaimer)
    template = TEMPLATES.get_template("disruption.html.j2")
    text = template.render(page=page, analysis=analysis, verdict=verdict, folder=folder.name, most=MOST_LISTED)
    folder.path(FILE).write_text(text)
