"""The database of the service on kind: a StatefulSet, found by the pod that the audit asks."""

from dataclasses import dataclass

from drydock.cluster.kind import Cluster
from drydock.core.project import Audit, Workload
from drydock.targets import psql

STOP_SECONDS = 60
START_SECONDS = 120


@dataclass(frozen=True)
class StatefulDatabase:
    """A database of one pod, whose name is that of its StatefulSet with `-0`."""

    cluster: Cluster
    workload: Workload
    audit: Audit

    @property
    def stateful_set(self) -> str:
        """The StatefulSet of the pod."""
        return self.audit.pod.rpartition("-")[0]

    def stop(self) -> None:
        """No pod of it: connections are refused.

        Raises:
            FailedError: it is still there after `STOP_SECONDS`.
        """
        self._scale(0)
        self._call("wait", "--for=delete", f"pod/{self.audit.pod}", f"--timeout={STOP_SECONDS}s")

    def start(self) -> None:
        """Its pod, ready.

        Raises:
            FailedError: it is not ready within `START_SECONDS`.
        """
        self._scale(1)
        self._call("rollout", "status", f"statefulset/{self.stateful_set}", f"--timeout={START_SECONDS}s")

    def sql(self, statements: str) -> str:
        """Runs the statements and returns the output of psql.

        Raises:
            FailedError: a statement fails.
        """
        return self._call("exec", "--stdin", self.audit.pod, "--", *self.audit.psql, *psql.OPTIONS, stdin=statements)

    def _scale(self, replicas: int) -> None:
        self._call("scale", f"statefulset/{self.stateful_set}", f"--replicas={replicas}")

    def _call(self, *arguments: str, stdin: str = "") -> str:
        return self.cluster.call("--namespace", self.workload.namespace, *arguments, stdin=stdin)
