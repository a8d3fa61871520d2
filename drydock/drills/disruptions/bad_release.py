"""A release that never becomes ready, and its rollback."""

from collections.abc import Iterable

from drydock.analysis.evidence import Evidence
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.runs.verdict import Check
from drydock.targets.target import Target

# Its start, and a readiness probe's 3 x 5 s twice over.
WATCH_SECONDS = 30.0


class BadRelease(Disruption[Target]):
    """A version that cannot reach its database is rolled out, watched, and rolled back."""

    title = "bad-release"
    hypothesis = (
        "When a release never becomes ready, it gets no request, the pods of before go on serving, and the rollback "
        "loses nothing."
    )
    negative_control = "lying-readiness"

    def act(self, run: DrillRun[Target]) -> None:
        """The bad version is released; nobody is ready for it; it is taken back."""
        run.release("unreachable-database")
        run.wait("the bad release to show itself", lambda: False, WATCH_SECONDS)
        run.target.undo()

    def recovered(self, run: DrillRun[Target]) -> bool:
        """The pods of before serve, and no other is left."""
        return run.all_pods_restored

    def checks(self, run: DrillRun[Target], evidence: Evidence) -> Iterable[Check]:
        """Who answered."""
        strangers = {record.pod for record in evidence.records if record.pod} - run.pods
        yield Check(
            "only pods of the release before have answered",
            not strangers,
            "no answer of another",
            ", ".join(sorted(strangers)) or "no answer of another",
        )
        stayed = run.pods <= run.existing
        yield Check(
            "the pods of the release before stay", stayed, "all", f"{len(run.pods - run.gone)} of {len(run.pods)}"
        )
