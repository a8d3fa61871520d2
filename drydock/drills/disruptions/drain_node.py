"""A node is drained, as before its upgrade."""

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.kind import KindTarget


class DrainNode(Disruption[KindTarget]):
    """`kubectl drain` of the node that a pod runs on; the pod disruption budget has its say."""

    title = "drain-node"
    hypothesis = (
        "When a node is drained, its pods move to another one within the disruption budget, and nothing is lost."
    )
    negative_control = "no-protection"
    platforms = frozenset({"kind"})

    def act(self, run: DrillRun[KindTarget]) -> None:
        """The node takes nothing new, and the service's pods are evicted from it."""
        node = run.target.node_of(run.chosen_pod)
        run.experiment.changes.apply(
            f"the node {node} is drained", lambda: run.target.drain(node), lambda: run.target.uncordon(node)
        )

    def recovered(self, run: DrillRun[KindTarget]) -> bool:
        """The pod is gone, and as many as before are ready elsewhere."""
        return run.chosen_pod in run.gone and run.all_pods_restored
