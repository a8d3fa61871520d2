"""A release that never becomes ready, and its rollback."""

from collections.abc import Iterable

from drydock.analysis.evidence import Evidence
from drydock.analysis.objectives import Promise
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import Scene
from drydock.runs.verdict import Check
from drydock.targets.target import Target

# Its start, and a readiness probe's 3 x 5 s twice over.
WATCH_SECONDS = 30.0


class BadRelease(Disruption[Target]):
    """A version that cannot reach its database is rolled out, watched, and rolled back."""

    title = "bad-release"
    belief = (
        "When a release never becomes ready, it gets no request, the pods of before go on serving, and the rollback "
        "loses nothing."
    )
    promise = Promise()
    control = "lying-readiness"

    def act(self, scene: Scene[Target]) -> None:
        """The bad version is released; nobody is ready for it; it is taken back."""
        scene.release("unreachable-database")
        scene.wait("the bad release to show itself", lambda: False, WATCH_SECONDS)
        scene.target.undo()

    def recovered(self, scene: Scene[Target]) -> bool:
        """The pods of before serve, and no other is left."""
        return scene.whole

    def checks(self, scene: Scene[Target], evidence: Evidence) -> Iterable[Check]:
        """Who answered."""
        strangers = {record.pod for record in evidence.records if record.pod} - scene.pods
        yield Check(
            "only pods of the release before have answered",
            not strangers,
            "no answer of another",
            ", ".join(sorted(strangers)) or "no answer of another",
        )
        stayed = scene.pods <= scene.existing
        yield Check(
            "the pods of the release before stay", stayed, "all", f"{len(scene.pods - scene.gone)} of {len(scene.pods)}"
        )
