"""A pod is deleted, as an eviction or an operator's hand does it."""

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.target import Target


class DeletePod(Disruption[Target]):
    """`kubectl delete pod`: one of two goes at once, before its successor is ready."""

    title = "delete-pod"
    hypothesis = "When one of two pods is deleted, it finishes what it began, and no request or order is lost."
    negative_control = "no-protection"

    def act(self, run: DrillRun[Target]) -> None:
        """One pod is asked to end."""
        run.target.delete_pod(run.chosen_pod)

    def recovered(self, run: DrillRun[Target]) -> bool:
        """It is gone, and as many pods as before are ready."""
        return run.chosen_pod in run.gone and run.all_pods_restored
