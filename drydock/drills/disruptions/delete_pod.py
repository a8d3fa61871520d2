"""The deletion of a pod, as by an eviction or an operator."""

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.target import Target


class DeletePod(Disruption[Target]):
    """Delete one of two pods: it terminates before its successor is ready."""

    title = "delete-pod"
    hypothesis = "When one of two pods is deleted, it finishes its requests in flight, and no request is lost."
    negative_control = "no-protection"

    def act(self, run: DrillRun[Target]) -> None:
        run.target.delete_pod(run.chosen_pod)

    def recovered(self, run: DrillRun[Target]) -> bool:
        return run.chosen_pod in run.gone and run.all_pods_restored
