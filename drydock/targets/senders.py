"""The Jobs that send requests to the service: a drill that was killed leaves its judge running."""

from collections.abc import Sequence
from dataclasses import dataclass

from drydock.cluster.namespace import Namespace
from drydock.load import jobs


@dataclass(frozen=True)
class Senders:
    """The state is the list of the Jobs that send."""

    namespace: Namespace
    title: str = "Jobs that send requests"

    def read(self) -> list[str]:
        """The names of the active Jobs."""
        items = self.namespace.get("jobs")["items"]
        return sorted(it["metadata"]["name"] for it in items if it["status"].get("active"))

    def restore(self, before: Sequence[str]) -> None:
        """Deletes each Job that did not send before, and waits until its pods are gone."""
        for name in self.read():
            if name not in before:
                jobs.delete(self.namespace, "job", name)
