"""The database of the service on kind: a StatefulSet, found by the pod that the audit asks."""

from dataclasses import dataclass

from drydock.cluster.namespace import Namespace
from drydock.core.project import Audit
from drydock.targets import psql

STOP_SECONDS = 60
START_SECONDS = 120


@dataclass(frozen=True)
class StatefulDatabase:
    """A database of one pod, whose name is that of its StatefulSet with `-0`."""

    namespace: Namespace
    audit: Audit

    @property
    def title(self) -> str:
        """The name for a person."""
        return f"database {self.stateful_set}"

    def read(self) -> int:
        """The desired number of its pods."""
        return int(self.namespace.get(self._name)["spec"]["replicas"])

    def restore(self, before: int) -> None:
        """Scales it to this number, and waits until its pods are ready. Raises FailedError if they are not in time."""
        self._scale(before)
        self._wait_for_start()

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
        self.namespace.call("wait", "--for=delete", f"pod/{self.audit.pod}", f"--timeout={STOP_SECONDS}s")

    def start(self) -> None:
        """Its pod, ready.

        Raises:
            FailedError: it is not ready within `START_SECONDS`.
        """
        self._scale(1)
        self._wait_for_start()

    def sql(self, statements: str) -> str:
        """Runs the statements and returns the output of psql.

        Raises:
            FailedError: a statement fails.
        """
        inside = ("exec", "--stdin", self.audit.pod, "--", *self.audit.psql, *psql.OPTIONS)
        return self.namespace.call(*inside, stdin=statements)

    @property
    def _name(self) -> str:
        return f"statefulset/{self.stateful_set}"

    def _wait_for_start(self) -> None:
        self.namespace.call("rollout", "status", self._name, f"--timeout={START_SECONDS}s")

    def _scale(self, replicas: int) -> None:
        self.namespace.call("scale", self._name, f"--replicas={replicas}")
