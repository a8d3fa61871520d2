"""A rollout to a release that never becomes ready, and its rollback."""

from collections.abc import Iterable

from drydock.analysis.evidence import Evidence
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.runs.verdict import Check
from drydock.targets.target import Target

# The start of a pod, and twice the 3 x 5 s of its readiness probe.
WATCH_SECONDS = 30.0


class BadRelease(Disruption[Target]):
    """Roll out a release that cannot reach its database, watch it, and roll it back."""

    title = "bad-release"
    hypothesis = (
        "When a release never becomes ready, it receives no request, the previous release keeps serving, and the "
        "rollback loses no request."
    )
    negative_control = "lying-readiness"
    control_check = "only the previous release has answered"

    def act(self, run: DrillRun[Target]) -> None:
        run.release("unreachable-database")
        run.wait("the bad release to fail", lambda: False, WATCH_SECONDS)
        run.target.undo()

    def recovered(self, run: DrillRun[Target]) -> bool:
        return run.all_pods_restored

    def checks(self, run: DrillRun[Target], evidence: Evidence) -> Iterable[Check]:
        strangers = {record.pod for record in evidence.records if record.pod} - run.pods
        yield Check(
            "only the previous release has answered",
            not strangers,
            "no other pod",
            ", ".join(sorted(strangers)) or "no other pod",
        )
        stayed = run.pods <= run.existing
        yield Check(
            "the pods of the previous release stay", stayed, "all", f"{len(run.pods - run.gone)} of {len(run.pods)}"
        )
