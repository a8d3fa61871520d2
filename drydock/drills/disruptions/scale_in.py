"""A scale-in, which removes one pod."""

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.target import Target


class ScaleIn(Disruption[Target]):
    """Scale in from three pods to two."""

    title = "scale-in"
    hypothesis = "When the autoscaler scales in from three pods to two, the removed pod loses no request."
    negative_control = "no-protection"
    pods = 3

    def act(self, run: DrillRun[Target]) -> None:
        run.target.hold(self.pods - 1)

    def recovered(self, run: DrillRun[Target]) -> bool:
        return len(run.gone) == 1 and run.ready == run.existing
