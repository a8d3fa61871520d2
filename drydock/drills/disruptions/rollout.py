"""A rollout, which replaces every pod in turn."""

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.target import Target


class Rollout(Disruption[Target]):
    """Restart the rollout: every pod is replaced, as by a release."""

    title = "rollout"
    hypothesis = "When a release replaces every pod, no request is lost on any kind of connection."
    negative_control = "no-protection"

    def act(self, run: DrillRun[Target]) -> None:
        run.target.restart()

    def recovered(self, run: DrillRun[Target]) -> bool:
        return run.gone == run.pods and run.all_pods_restored
