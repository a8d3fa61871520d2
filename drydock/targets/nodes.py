"""The nodes of the cluster, as the drain of a node changes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from drydock.cluster.kind import Cluster


@dataclass(frozen=True)
class Nodes:
    """The state is the list of the cordoned nodes."""

    cluster: Cluster
    title: str = "cordoned nodes"

    def read(self) -> list[str]:
        """The names of the cordoned nodes."""
        items = self.cluster.get("nodes")["items"]
        return sorted(it["metadata"]["name"] for it in items if it["spec"].get("unschedulable"))

    def restore(self, before: Sequence[str]) -> None:
        """Uncordons each node that was not cordoned before."""
        for node in self.read():
            if node not in before:
                self.cluster.call("uncordon", node)
