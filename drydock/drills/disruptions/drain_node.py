"""The drain of a node, as before its upgrade."""

from drydock.core.console import step
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.kind import KindTarget


class DrainNode(Disruption[KindTarget]):
    """Drain the node of a pod, within the PodDisruptionBudget."""

    title = "drain-node"
    hypothesis = (
        "When a node is drained, its pods move to another node within the disruption budget, and no request is lost."
    )
    negative_control = "no-protection"
    platforms = frozenset({"kind"})

    def act(self, run: DrillRun[KindTarget]) -> None:
        node = run.target.node_of(run.chosen_pod)
        with step(f"drain the node {node}"):
            run.target.drain(node)

    def recovered(self, run: DrillRun[KindTarget]) -> bool:
        return run.chosen_pod in run.gone and run.all_pods_restored
