"""Drills without Kubernetes: real processes, a real database and a real router, moved by the rules of a cluster."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from drydock.analysis import audit
from drydock.analysis.audit import AuditResult
from drydock.core.console import step
from drydock.core.errors import CannotRunError
from drydock.core.project import Project, Workload
from drydock.judge.plan import Plan
from drydock.judge_client.process import JudgeProcess
from drydock.local import pod as pods
from drydock.local import template
from drydock.local.cluster import DEFAULT_REPLICAS, LocalCluster
from drydock.local.drill_record import recorded
from drydock.local.merge import merged
from drydock.local.recorder import LocalRecorder
from drydock.local.runtime import LocalRuntime
from drydock.requests.records import Record
from drydock.runs.configuration import machine
from drydock.system.ports import LOOPBACK
from drydock.system.processes import output
from drydock.system.wait import wait_until
from drydock.targets import psql
from drydock.targets.target import ANSWER_SECONDS, ROLLOUT_SECONDS

START_SECONDS = 60.0
DISCLAIMER = (
    "Local processes behind a router of our own: this run claims nothing about Kubernetes, whose kubelet and "
    "kube-proxy were not there."
)


@dataclass
class LocalTarget:
    """The service of a project as processes of this machine. `changes` is a patch of the Deployment from the start."""

    project: Project
    changes: Mapping[str, Any] = field(default_factory=dict)
    name: str = "local"
    disclaimer: str = DISCLAIMER
    dashboards: str | None = None
    recorder: LocalRecorder = field(default_factory=LocalRecorder, init=False)
    _running: LocalCluster | None = field(default=None, init=False)

    @property
    def workload(self) -> Workload:
        """The service's names."""
        return self.project.configuration.workload

    def refuse(self) -> None:
        """Never refuses: this target starts everything itself."""

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Database, migrations, router and pods; when the block ends they are gone, and so are their files.

        If this process is killed, `drydock down` finds them by the record (drydock/local/leftovers.py).
        """
        with (
            recorded(self.project.state) as record,
            LocalRuntime.started(self.project, record.database) as runtime,
        ):
            manifest = template.read(self.project)
            runtime.migrate(template.Template(manifest, self.project, runtime.postgres.dsn).variables)
            wanted = merged(manifest, self.changes)
            with LocalCluster.started(runtime, wanted, self.recorder) as self._running:
                with step("service") as progress:
                    if not self.wait_for_rollout(START_SECONDS):
                        raise CannotRunError("the service did not become ready", "drydock up --platform local")
                    progress.detail = ", ".join(self.ready_pods())
                try:
                    yield
                finally:
                    self._running = None

    @contextmanager
    def timeline(self) -> Iterator[LocalRecorder]:
        """The recorder, which runs from the start."""
        yield self.recorder

    def judge(self, rate: float, seconds: float) -> JudgeProcess:
        """A judge that goes through the router."""
        url = f"http://{LOOPBACK}:{self._now.port}"
        return JudgeProcess(Plan.of(self.project.configuration.judge, url, rate, seconds))

    def audit(self, records: Sequence[Record]) -> AuditResult:
        """Runs the audit in the embedded database. Raises FailedError if it does not answer."""
        configuration = self.project.configuration.audit
        return audit.read_answer(configuration, self.sql(audit.script(configuration, records)))

    def describe(self) -> dict[str, Any]:
        """The commit, the machine, and the budget of the shutdown."""
        budget = self._now.deployment.template.budget.as_json()
        return {**machine(self.project), "kind": "drill", "images": [], "autoscalers": {}, "shutdown": budget}

    def ready_pods(self) -> list[str]:
        """The pods that the router sends new connections to."""
        return sorted(pod.name for pod in self._now.deployment.pods if pod.serving)

    def hold(self, replicas: int) -> None:
        """Sets the number of pods. There is no autoscaler."""
        self._now.do(lambda: self._now.deployment.scale(replicas))

    def begin(self, run: str) -> None:
        """Records nothing: this target starts everything itself."""

    def changed_parts(self) -> list[str]:
        """Nothing is kept: the end of the drill stops everything."""
        return []

    def clean_up_with(self, statements: str) -> None:
        """Nothing is kept: the end of the drill deletes the database."""

    def restore(self) -> None:
        """Starts the database, restores the Deployment, and waits. Raises CannotRunError if no pod becomes ready."""
        if self._running is None:
            return
        self.start_database()
        self.hold(DEFAULT_REPLICAS)
        self._now.do(lambda: self._now.deployment.replace(self._now.manifest))
        if not self.wait_for_rollout(ROLLOUT_SECONDS):
            raise CannotRunError("the local pods are not ready again", "Run the drill again: it starts from nothing.")

    def apply(self, patch: Mapping[str, Any]) -> None:
        """Lays a strategic merge patch over the Deployment."""
        self._now.do(lambda: self._now.deployment.apply(patch))

    def restart(self) -> None:
        """Replaces every pod."""
        self._now.do(self._now.deployment.restart)

    def undo(self) -> None:
        """Goes back to the template before."""
        self._now.do(self._now.deployment.undo)

    def wait_for_rollout(self, seconds: float) -> bool:
        """Waits until all pods are of the newest template and ready, and no other is left."""
        return wait_until(lambda: self._now.deployment.complete, seconds, interval=0.1)

    def delete_pod(self, pod: str) -> None:
        """Ends a pod in good order."""
        self._now.do(lambda: self._now.deployment.pod(pod).delete())

    def kill(self, pod: str) -> None:
        """SIGKILL to a pod's process."""
        self._now.do(lambda: self._now.deployment.pod(pod).kill())

    def request(self, pod: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> int:
        """Sends one request to one pod. Returns the status, or 0 without an answer within ANSWER_SECONDS."""
        port = self._now.deployment.pod(pod).port

        async def ask() -> int:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await pods.request(port, method, path, json.dumps(body).encode() if body else b"")
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                return 0

        return self._now.runtime.wait(ask())

    def stop_database(self) -> None:
        """Stops it as `docker stop` would."""
        self._now.runtime.postgres.stop()

    def start_database(self) -> None:
        """Starts it on the same port with the same data."""
        self._now.runtime.postgres.start()

    def sql(self, statements: str) -> str:
        """The output of psql. Raises FailedError if a statement fails."""
        postgres = self._now.runtime.postgres
        command = [str(postgres.program("psql")), *psql.OPTIONS]
        return output(command, stdin=statements, environment=postgres.connection_variables)

    @property
    def _now(self) -> LocalCluster:
        if self._running is None:
            raise CannotRunError("the local target is not open")
        return self._running
