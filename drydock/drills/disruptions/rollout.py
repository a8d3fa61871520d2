"""Every pod is replaced, one after the other."""

from drydock.analysis.objectives import Promise
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import Scene
from drydock.targets.target import Target


class Rollout(Disruption[Target]):
    """`kubectl rollout restart`, as each release does it."""

    title = "rollout"
    belief = "When a release replaces every pod, no request and no order is lost, on any kind of connection."
    promise = Promise()
    control = "no-protection"

    def act(self, scene: Scene[Target]) -> None:
        """A rollout begins."""
        scene.target.restart()

    def recovered(self, scene: Scene[Target]) -> bool:
        """No pod of before is left, and as many new ones are ready."""
        return scene.gone == scene.pods and scene.whole
