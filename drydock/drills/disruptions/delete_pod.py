"""A pod is deleted, as an eviction or an operator's hand does it."""

from drydock.analysis.objectives import Promise
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import Scene
from drydock.targets.target import Target


class DeletePod(Disruption[Target]):
    """`kubectl delete pod`: one of two goes at once, before its successor is ready."""

    title = "delete-pod"
    belief = "When one of two pods is deleted, it finishes what it began, and no request or order is lost."
    promise = Promise()
    control = "no-protection"

    def act(self, scene: Scene[Target]) -> None:
        """One pod is asked to end."""
        scene.target.delete_pod(scene.a_pod)

    def recovered(self, scene: Scene[Target]) -> bool:
        """It is gone, and as many pods as before are ready."""
        return scene.a_pod in scene.gone and scene.whole
