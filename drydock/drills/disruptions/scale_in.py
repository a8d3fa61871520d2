"""The autoscaler takes a pod away."""

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.target import Target


class ScaleIn(Disruption[Target]):
    """Three pods become two."""

    title = "scale-in"
    hypothesis = "When the autoscaler goes from three pods to two, the one that leaves loses no request and no order."
    negative_control = "no-protection"
    pods = 3

    def act(self, run: DrillRun[Target]) -> None:
        """One pod fewer is wanted."""
        run.target.hold(self.pods - 1)

    def recovered(self, run: DrillRun[Target]) -> bool:
        """One pod is gone, and the others are ready."""
        return len(run.gone) == 1 and run.ready == run.existing
