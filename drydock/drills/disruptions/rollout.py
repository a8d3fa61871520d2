"""Every pod is replaced, one after the other."""

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.target import Target


class Rollout(Disruption[Target]):
    """`kubectl rollout restart`, as each release does it."""

    title = "rollout"
    hypothesis = "When a release replaces every pod, no request and no order is lost, on any kind of connection."
    negative_control = "no-protection"

    def act(self, run: DrillRun[Target]) -> None:
        """A rollout begins."""
        run.target.restart()

    def recovered(self, run: DrillRun[Target]) -> bool:
        """No pod of before is left, and as many new ones are ready."""
        return run.gone == run.pods and run.all_pods_restored
