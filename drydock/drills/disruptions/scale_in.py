"""The autoscaler takes a pod away."""

from drydock.analysis.objectives import Promise
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import Scene
from drydock.targets.target import Target


class ScaleIn(Disruption[Target]):
    """Three pods become two."""

    title = "scale-in"
    belief = "When the autoscaler goes from three pods to two, the one that leaves loses no request and no order."
    promise = Promise()
    control = "no-protection"
    pods = 3

    def act(self, scene: Scene[Target]) -> None:
        """One pod fewer is wanted."""
        scene.target.hold(self.pods - 1)

    def recovered(self, scene: Scene[Target]) -> bool:
        """One pod is gone, and the others are ready."""
        return len(scene.gone) == 1 and scene.ready == scene.existing
