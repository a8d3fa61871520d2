"""The platform that counts: a real kubelet, kube-proxy, autoscaler and Postgres, moved by kubectl."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from drydock.analysis import audit
from drydock.analysis.audit import AuditResult
from drydock.cluster import docker, guards, node_processes
from drydock.cluster.kind import CONTROL_PLANE, Cluster, ready
from drydock.cluster.namespace import Namespace
from drydock.cluster.platform import KindPlatform
from drydock.core.project import Project, Workload
from drydock.judge.ledger import NAME
from drydock.judge.plan import Plan
from drydock.judge_client.job import JudgeJob
from drydock.load import jobs
from drydock.manifests.shutdown_budget import Budget
from drydock.requests.records import Record
from drydock.runs.configuration import describe
from drydock.targets import state
from drydock.targets.added_schema import AddedSchema
from drydock.targets.database import StatefulDatabase
from drydock.targets.deployment import Deployment
from drydock.targets.held_autoscaler import HeldAutoscaler
from drydock.targets.journal import Entry, Holder, Journal
from drydock.targets.nodes import Nodes
from drydock.targets.senders import Senders
from drydock.targets.state import Part
from drydock.targets.target import ANSWER_SECONDS, ROLLOUT_SECONDS
from drydock.targets.workload import ScaledWorkload
from drydock.telemetry import jaeger
from drydock.timeline.connection_tracking import ConnectionTracking
from drydock.timeline.recorder import Timeline

# The name of the container port on which the service listens.
PORT = "http"

# Runs inside the pod, because the Service may choose another pod. Each Python service has an interpreter there.
REQUEST = """
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

method, url, seconds, body = sys.argv[1:]
headers = {"Content-Type": "application/json"} if body else {}
try:
    status = urlopen(Request(url, body.encode() or None, headers, method=method), timeout=float(seconds)).status
except HTTPError as error:
    status = error.code
except OSError:
    status = 0
print(status)
"""


@dataclass
class KindTarget:
    """The service of a project on the kind cluster."""

    platform: KindPlatform
    name: str = "kind"
    disclaimer: str = ""

    @property
    def project(self) -> Project:
        """Whose service it is."""
        return self.platform.project

    @property
    def cluster(self) -> Cluster:
        """Drydock's cluster."""
        return self.platform.cluster

    @property
    def namespace(self) -> Namespace:
        """The namespace of the service."""
        return Namespace(self.cluster, self.workload.namespace)

    @property
    def workload(self) -> Workload:
        """The service's names."""
        return self.project.configuration.workload

    @property
    def subject(self) -> ScaledWorkload:
        """The service, as the scaling drill changes it."""
        return ScaledWorkload(self.namespace, self.workload)

    @property
    def dashboards(self) -> str:
        """Grafana's address."""
        return self.project.configuration.telemetry.kind.grafana

    @cached_property
    def deployment(self) -> Deployment:
        """The Deployment of the service."""
        return Deployment(self.namespace, self.workload)

    @cached_property
    def autoscaler(self) -> HeldAutoscaler:
        """The autoscaler of the service."""
        return HeldAutoscaler(self.namespace, self.workload)

    @cached_property
    def database(self) -> StatefulDatabase:
        """The service's database."""
        return StatefulDatabase(self.namespace, self.project.configuration.audit)

    @cached_property
    def journal(self) -> Journal:
        """The journal of the drill that changes the service."""
        return Journal(self.namespace)

    @property
    def parts(self) -> Sequence[Part]:
        """Everything that a drill may change, in the order of its restoring."""
        # The schema is the last: the pods of a newer release use its additions.
        added = AddedSchema(self.journal, self.database)
        senders = Senders(Namespace(self.cluster, jobs.NAMESPACE))
        return senders, self.database, Nodes(self.cluster), self.deployment, self.autoscaler, added

    def refuse(self) -> None:
        """Raises CannotRunError unless it is our cluster, with the workload as production runs it, free and ready."""
        guards.refuse_another_context(self.cluster)
        self.journal.refuse()
        guards.refuse_dev_mode(self.cluster, self.workload)
        guards.refuse_unready(self.project)

    def opened(self) -> AbstractContextManager[None]:
        """Nothing has to be started: `drydock up` has done it."""
        return nullcontext()

    def timeline(self) -> Timeline:
        """A recorder of the namespace's objects, the service's lifecycle log lines, and the judge's connections."""
        return Timeline(
            self.project.kubeconfig, self.workload.namespace, workload=self.workload, connections=self.connections()
        )

    def connections(self) -> ConnectionTracking | None:
        """A recorder of the connections to the Service, on the node of the judge."""
        service = self.namespace.get("service", self.workload.service)
        return ConnectionTracking(CONTROL_PLANE, service["spec"]["clusterIP"])

    def judge(self, rate: float, seconds: float) -> JudgeJob:
        """A judge in the cluster, which goes through the Service."""
        plan = Plan.of(self.project.configuration.judge, self.workload.url_in_cluster, rate, seconds)
        return JudgeJob(self.platform, plan)

    def audit(self, records: Sequence[Record]) -> AuditResult:
        """Runs the audit in the pod of the database. Raises FailedError if it does not answer."""
        configuration = self.project.configuration.audit
        return audit.read_answer(configuration, self.sql(audit.script(configuration, records)))

    def describe(self) -> dict[str, Any]:
        """Versions, images, mode, autoscalers and the budget of the shutdown."""
        return describe(self.platform, kind="drill", shutdown=self._budget().as_json())

    def ready_pods(self) -> list[str]:
        """The pods that are ready and not ending."""
        return sorted(pod["metadata"]["name"] for pod in self.deployment.pods() if ready(pod) and not _ending(pod))

    def hold(self, replicas: int) -> None:
        """Keeps the Deployment at a number of pods. Raises CannotRunError if it does not reach it."""
        self.autoscaler.hold(replicas)

    def begin(self, run: str) -> None:
        """Records the state of the service. Raises CannotRunError if another drill holds it."""
        self.journal.open(run, state.read(self.parts))

    def changed_parts(self) -> list[str]:
        """The parts that differ from the state that this drill recorded."""
        entry = self.journal.ours()
        return state.changed(self.parts, entry.before) if entry else []

    def clean_up_with(self, statements: str) -> None:
        """Lets `restore` run these SQL statements, which must be idempotent."""
        self.journal.add_cleanup(statements)

    def restore(self) -> None:
        """Restores the recorded state, and forgets it. Raises CannotRunError, and keeps it, if a part fails."""
        if entry := self.journal.ours():
            self._restore(entry)

    def restore_left_changes(self) -> Holder | None:
        """Restores what a drill has left that was killed. None if there is nothing.

        Raises:
            CannotRunError: that drill still runs, or a part fails.
        """
        guards.refuse_another_context(self.cluster)
        if (entry := self.journal.take_over()) is None:
            return None
        self._restore(entry)
        return entry.holder

    def _restore(self, entry: Entry) -> None:
        state.restore(self.parts, entry.before)
        self.journal.close()

    def apply(self, patch: Mapping[str, Any]) -> None:
        """Patches the Deployment. Raises FailedError if the API server rejects it."""
        self.deployment.patch(patch)

    def restart(self) -> None:
        """`kubectl rollout restart`."""
        self.namespace.call("rollout", "restart", self.deployment.name)

    def undo(self) -> None:
        """`kubectl rollout undo`."""
        self.namespace.call("rollout", "undo", self.deployment.name)

    def wait_for_rollout(self, seconds: float) -> bool:
        """Waits until every pod is of the newest template and ready, and none is terminating."""
        return self.deployment.wait_for_rollout(seconds)

    def delete_pod(self, pod: str) -> None:
        """`kubectl delete pod`."""
        self.namespace.call("delete", "pod", pod, "--wait=false")

    def kill(self, pod: str) -> None:
        """SIGKILL from the node: from inside, the kernel keeps it from PID 1.

        Raises:
            FailedError: the process is not found.
        """
        found = self.namespace.get("pod", pod)
        statuses = found["status"]["containerStatuses"]
        container = next(it["containerID"] for it in statuses if it["name"] == self.workload.container)
        node = found["spec"]["nodeName"]
        docker.docker("exec", node, "kill", "-KILL", *node_processes.of_container(node, container))

    def request(self, pod: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> int:
        """Sends one request from inside the pod, so that the answer is this pod's; 0 without an answer."""
        ports = self._container(self.namespace.get("pod", pod)["spec"])["ports"]
        port = next(it["containerPort"] for it in ports if it["name"] == PORT)
        sent = (method, f"http://127.0.0.1:{port}{path}", str(ANSWER_SECONDS), json.dumps(body) if body else "")
        inside = ("exec", "--stdin", pod, "--container", self.workload.container, "--", "python", "-", *sent)
        return int(self.namespace.call(*inside, stdin=REQUEST))

    def has_trace(self, trace: str) -> bool:
        """Whether Jaeger has a span of the service, not only of the judge. Raises FailedError without Jaeger."""
        return jaeger.arrived(self.project.configuration.telemetry.kind.jaeger, trace, NAME)

    def node_of(self, pod: str) -> str:
        """The node that a pod runs on."""
        return str(self.namespace.get("pod", pod)["spec"]["nodeName"])

    def drain(self, node: str) -> None:
        """Cordons a node, evicts the service's pods from it, and waits until they are gone.

        Raises:
            FailedError: a PodDisruptionBudget kept them for four minutes.
        """
        chosen = f"--pod-selector=app.kubernetes.io/name={self.workload.deployment}"
        options = ("--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={ROLLOUT_SECONDS:.0f}s")
        self.cluster.call("drain", node, chosen, *options)

    def stop_database(self) -> None:
        """Scales the StatefulSet to 0, and waits until the pod is gone."""
        self.database.stop()

    def start_database(self) -> None:
        """Scales the StatefulSet to 1, and waits until the pod is ready."""
        self.database.start()

    def sql(self, statements: str) -> str:
        """The output of psql in the pod of the database. Raises FailedError if a statement fails."""
        return self.database.sql(statements)

    def _budget(self) -> Budget:
        """The shutdown's budget, by the Deployment and the ConfigMaps that its container reads."""
        spec = self.deployment.get()["spec"]["template"]["spec"]
        container, variables = self._container(spec), dict[str, str]()
        for source in container.get("envFrom") or []:
            if "configMapRef" in source:
                variables |= self.namespace.get("configmap", source["configMapRef"]["name"]).get("data") or {}
        variables |= {it["name"]: it["value"] for it in container.get("env") or [] if "value" in it}
        return Budget.of(spec, self.workload.container, variables, self.project.configuration.shutdown)

    def _container(self, pod_spec: Any) -> Any:
        return next(it for it in pod_spec["containers"] if it["name"] == self.workload.container)


def _ending(pod: Any) -> bool:
    return "deletionTimestamp" in pod["metadata"]
