"""A node is drained, as before its upgrade."""

from drydock.analysis.objectives import Promise
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import Scene
from drydock.targets.kind import KindTarget


class DrainNode(Disruption[KindTarget]):
    """`kubectl drain` of the node that a pod runs on; the pod disruption budget has its say."""

    title = "drain-node"
    belief = "When a node is drained, its pods move to another one within the disruption budget, and nothing is lost."
    promise = Promise()
    control = "no-protection"
    platforms = frozenset({"kind"})

    def act(self, scene: Scene[KindTarget]) -> None:
        """The node takes nothing new, and the service's pods are evicted from it."""
        node = scene.target.node_of(scene.a_pod)
        scene.experiment.changes.make(
            f"the node {node} is drained", lambda: scene.target.drain(node), lambda: scene.target.uncordon(node)
        )

    def recovered(self, scene: Scene[KindTarget]) -> bool:
        """The pod is gone, and as many as before are ready elsewhere."""
        return scene.a_pod in scene.gone and scene.whole
