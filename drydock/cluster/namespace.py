"""kubectl in one namespace of the cluster."""

from dataclasses import dataclass
from typing import Any

from drydock.cluster.kind import Cluster


@dataclass(frozen=True)
class Namespace:
    """The namespace `name`. Each method is that of the cluster, and raises the same errors."""

    cluster: Cluster
    name: str

    def call(self, *arguments: str, stdin: str = "") -> str:
        """Runs kubectl; returns its output."""
        return self.cluster.call("--namespace", self.name, *arguments, stdin=stdin)

    def command(self, *arguments: str) -> list[str]:
        """The command line of kubectl."""
        return self.cluster.command("--namespace", self.name, *arguments)

    def get(self, *arguments: str) -> Any:
        """The parsed output of `kubectl get ... --output json`."""
        return self.cluster.get("--namespace", self.name, *arguments)
