"""The actions of a drill on a service, the same on every platform."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from drydock.analysis.audit import AuditResult
from drydock.core.project import Project
from drydock.judge_client.progress_sample import ProgressSample
from drydock.load.live_load import LoadSource
from drydock.requests.records import Record
from drydock.timeline.history import History
from drydock.timeline.routes import Route

# Kubernetes gives up before we do: longer than progressDeadlineSeconds and the grace period of the last old pod.
ROLLOUT_SECONDS = 240.0
# For a request to one pod: as long as a probe waits.
ANSWER_SECONDS = 2.0


class TimelineRecorder(Protocol):
    """A recorder of a timeline (drydock/timeline/recorder.py)."""

    @property
    def history(self) -> History:
        """The records so far."""

    @property
    def routes(self) -> Sequence[Route]:
        """The pods that connections were routed to, as far as they were observed."""

    def complete(self) -> History:
        """The records so far, with the log lines that were not followed."""


class Target(Protocol):
    """The service, its database, and the actions on them. A method returns at once unless it states otherwise."""

    @property
    def name(self) -> str:
        """`kind` or `local`."""

    @property
    def disclaimer(self) -> str:
        """The limits of the evidence on this platform. Empty on kind."""

    @property
    def project(self) -> Project:
        """Whose service it is."""

    @property
    def dashboards(self) -> str | None:
        """The address of Grafana, or None without one."""

    def refuse(self) -> None:
        """Raises CannotRunError if no drill may run now."""

    def opened(self) -> AbstractContextManager[None]:
        """Starts the parts that a drill needs, and stops them after the block."""

    def timeline(self) -> AbstractContextManager[TimelineRecorder]:
        """Records the objects and log lines of the service in the block."""

    def judge(self, rate: float, seconds: float) -> LoadSource[ProgressSample]:
        """A judge that sends `rate` requests a second for `seconds` at the most."""

    def audit(self, records: Sequence[Record]) -> AuditResult:
        """Compares the database with the answers that the clients received."""

    def describe(self) -> dict[str, Any]:
        """Versions, images and settings of the service, for configuration.json."""

    def ready_pods(self) -> list[str]:
        """The pods that new connections go to."""

    def hold(self, replicas: int) -> None:
        """Keeps the service at a number of pods, and pauses its autoscaler."""

    def begin(self, run: str) -> None:
        """Records the state of the service before a drill changes it. Raises CannotRunError if another one holds it."""

    def changed_parts(self) -> list[str]:
        """The names of the parts that differ from the state that `begin` recorded; none if it was refused."""

    def clean_up_with(self, statements: str) -> None:
        """Lets `restore` run these SQL statements, which must be idempotent."""

    def restore(self) -> None:
        """Restores the recorded state, and waits. Idempotent. Raises CannotRunError if a part could not be restored."""

    def apply(self, patch: Mapping[str, Any]) -> None:
        """Changes the Deployment by a strategic merge patch, as k8s/controls/ holds them: a rollout begins."""

    def restart(self) -> None:
        """Replaces every pod by one that is the same: a rollout begins."""

    def undo(self) -> None:
        """Goes back to the Deployment before the last change: a rollout begins."""

    def wait_for_rollout(self, seconds: float) -> bool:
        """Waits until all pods run the newest template and are ready, and no other is left. False on a timeout."""

    def delete_pod(self, pod: str) -> None:
        """Ends a pod in good order."""

    def kill(self, pod: str) -> None:
        """SIGKILL to the service in a pod: no preStop, no grace period."""

    def request(self, pod: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> int:
        """Sends one request to one pod, past the Service; its status, or 0 without an answer in ANSWER_SECONDS."""

    def stop_database(self) -> None:
        """Stops the database, and waits until it is gone."""

    def start_database(self) -> None:
        """Starts the database, and waits until it accepts connections."""

    def sql(self, statements: str) -> str:
        """The output of psql for these statements. Raises FailedError if one of them fails."""
