"""The platform that counts: a real kubelet, kube-proxy, autoscaler and Postgres, moved by kubectl."""

import copy
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from drydock.analysis import audit
from drydock.analysis.audit import AuditResult
from drydock.cluster import docker, guards, node_processes
from drydock.cluster.kind import Cluster, ready
from drydock.cluster.platform import KindPlatform
from drydock.core.errors import FailedError
from drydock.core.project import Project, Workload
from drydock.judge.ledger import NAME
from drydock.judge.plan import Plan
from drydock.judge_client.job import JudgeJob
from drydock.manifests.shutdown_budget import Budget
from drydock.requests.records import Record
from drydock.runs.configuration import describe
from drydock.system.wait import wait_until
from drydock.targets.database import StatefulDatabase
from drydock.targets.held_autoscaler import HeldAutoscaler
from drydock.targets.target import ANSWER_SECONDS, ROLLOUT_SECONDS
from drydock.targets.workload import ScaledWorkload
from drydock.telemetry import jaeger
from drydock.timeline.recorder import Timeline

# The fields of a Deployment that patches of drills change, and that `restore` restores.
CHANGED = ("template", "strategy", "progressDeadlineSeconds", "minReadySeconds")
RESTARTED = "kubectl.kubernetes.io/restartedAt"
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
    _before: Any = field(default=None, init=False)

    @property
    def project(self) -> Project:
        """Whose service it is."""
        return self.platform.project

    @property
    def cluster(self) -> Cluster:
        """Where it runs."""
        return self.platform.cluster

    @property
    def workload(self) -> Workload:
        """The service's names."""
        return self.project.configuration.workload

    @property
    def subject(self) -> ScaledWorkload:
        """The service, as the scaling drill changes it."""
        return ScaledWorkload(self.cluster, self.workload)

    @property
    def dashboards(self) -> str:
        """Grafana's address."""
        return self.project.configuration.telemetry.kind.grafana

    @cached_property
    def autoscaler(self) -> HeldAutoscaler:
        """What scales the service."""
        return HeldAutoscaler(self.cluster, self.workload)

    @cached_property
    def database(self) -> StatefulDatabase:
        """The service's database."""
        return StatefulDatabase(self.cluster, self.workload, self.project.configuration.audit)

    def refuse(self) -> None:
        """Raises CannotRunError unless it is our cluster, with the workload as production runs it, and ready."""
        guards.refuse_another_context(self.cluster)
        guards.refuse_dev_mode(self.cluster, self.workload)
        guards.refuse_unready(self.project)

    def opened(self) -> AbstractContextManager[None]:
        """Nothing has to be started: `drydock up` has done it."""
        return nullcontext()

    def timeline(self) -> Timeline:
        """A recorder of the namespace's objects and of the service's lifecycle log lines."""
        return Timeline(self.project.kubeconfig, self.workload.namespace, workload=self.workload)

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
        return sorted(pod["metadata"]["name"] for pod in self._pods() if ready(pod) and not _ending(pod))

    def hold(self, replicas: int) -> None:
        """Keeps the Deployment at a number of pods. Raises CannotRunError if it does not reach it."""
        self.autoscaler.hold(replicas)

    def release(self) -> None:
        """Lets the autoscaler decide again. Raises CannotRunError if it is not back within a minute."""
        self.autoscaler.release()

    def apply(self, patch: Mapping[str, Any]) -> None:
        """Patches the Deployment. Raises FailedError if the API server rejects it."""
        self._before = self._before or self._deployment()["spec"]
        self._call("patch", self._name, "--type=strategic", f"--patch={json.dumps(patch)}")

    def restart(self) -> None:
        """`kubectl rollout restart`."""
        self._call("rollout", "restart", self._name)

    def undo(self) -> None:
        """`kubectl rollout undo`."""
        self._call("rollout", "undo", self._name)

    def restore(self) -> None:
        """Restores the Deployment. Raises FailedError if its pods do not become ready."""
        if self._before is None:
            return
        now = self._deployment()["spec"]
        if (change := _differences(now, self._before)) and not _only_restarted(now, self._before):
            self._call("patch", self._name, "--type=json", f"--patch={json.dumps(change)}")
        if not self.wait_for_rollout(ROLLOUT_SECONDS):
            raise FailedError(
                f"{self._name} is not ready again", f"kubectl --namespace {self.workload.namespace} get pods"
            )
        self._before = None

    def wait_for_rollout(self, seconds: float) -> bool:
        """Waits until every pod is of the newest template and ready, and none is ending."""
        return wait_until(self._complete, seconds, interval=0.5)

    def delete_pod(self, pod: str) -> None:
        """`kubectl delete pod`."""
        self._call("delete", "pod", pod, "--wait=false")

    def kill(self, pod: str) -> None:
        """SIGKILL from the node: from inside, the kernel keeps it from PID 1.

        Raises:
            FailedError: the process is not found.
        """
        found = self._get("pod", pod)
        statuses = found["status"]["containerStatuses"]
        container = next(it["containerID"] for it in statuses if it["name"] == self.workload.container)
        node = found["spec"]["nodeName"]
        docker.docker("exec", node, "kill", "-KILL", *node_processes.of_container(node, container))

    def request(self, pod: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> int:
        """Sends one request from inside the pod, so that the answer is this pod's; 0 without an answer."""
        ports = self._container(self._get("pod", pod)["spec"])["ports"]
        port = next(it["containerPort"] for it in ports if it["name"] == PORT)
        sent = (method, f"http://127.0.0.1:{port}{path}", str(ANSWER_SECONDS), json.dumps(body) if body else "")
        inside = ("exec", "--stdin", pod, "--container", self.workload.container, "--", "python", "-", *sent)
        return int(self._call(*inside, stdin=REQUEST))

    def has_trace(self, trace: str) -> bool:
        """Whether Jaeger has a span of the service, not only of the judge. Raises FailedError without Jaeger."""
        return jaeger.arrived(self.project.configuration.telemetry.kind.jaeger, trace, NAME)

    def node_of(self, pod: str) -> str:
        """The node that a pod runs on."""
        return str(self._get("pod", pod)["spec"]["nodeName"])

    def drain(self, node: str) -> None:
        """Cordons a node, evicts the service's pods from it, and waits until they are gone.

        Raises:
            FailedError: a PodDisruptionBudget kept them for four minutes.
        """
        chosen = f"--pod-selector=app.kubernetes.io/name={self.workload.deployment}"
        options = ("--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={ROLLOUT_SECONDS:.0f}s")
        self.cluster.call("drain", node, chosen, *options)

    def uncordon(self, node: str) -> None:
        """Lets pods be put on a node again."""
        self.cluster.call("uncordon", node)

    def stop_database(self) -> None:
        """Scales the StatefulSet to 0, and waits until the pod is gone."""
        self.database.stop()

    def start_database(self) -> None:
        """Scales the StatefulSet to 1, and waits until the pod is ready."""
        self.database.start()

    def sql(self, statements: str) -> str:
        """The output of psql in the pod of the database. Raises FailedError if a statement fails."""
        return self.database.sql(statements)

    @property
    def _name(self) -> str:
        return f"deployment/{self.workload.deployment}"

    def _budget(self) -> Budget:
        """The shutdown's budget, by the Deployment and the ConfigMaps that its container reads."""
        spec = self._deployment()["spec"]["template"]["spec"]
        container, variables = self._container(spec), dict[str, str]()
        for source in container.get("envFrom") or []:
            if "configMapRef" in source:
                variables |= self._get("configmap", source["configMapRef"]["name"]).get("data") or {}
        variables |= {it["name"]: it["value"] for it in container.get("env") or [] if "value" in it}
        return Budget.of(spec, self.workload.container, variables, self.project.configuration.shutdown)

    def _deployment(self) -> Any:
        return self._get("deployment", self.workload.deployment)

    def _container(self, pod_spec: Any) -> Any:
        return next(it for it in pod_spec["containers"] if it["name"] == self.workload.container)

    def _pods(self) -> list[Any]:
        pods: list[Any] = self._get("pods", f"--selector=app.kubernetes.io/name={self.workload.deployment}")["items"]
        return pods

    def _complete(self) -> bool:
        found = self._deployment()
        wanted, status = found["spec"]["replicas"], found["status"]
        seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
        counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
        return seen and counts == {wanted} and len(self._pods()) == wanted

    def _get(self, *arguments: str) -> Any:
        return self.cluster.get("--namespace", self.workload.namespace, *arguments)

    def _call(self, *arguments: str, stdin: str = "") -> str:
        return self.cluster.call("--namespace", self.workload.namespace, *arguments, stdin=stdin)


def _ending(pod: Any) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _differences(now: Any, before: Any) -> list[dict[str, Any]]:
    """The JSON patch (RFC 6902) from the Deployment `now` to its former state."""
    changed = [name for name in CHANGED if now.get(name) != before.get(name)]
    return [
        {"op": "add", "path": f"/spec/{name}", "value": before[name]}
        if name in before
        else {"op": "remove", "path": f"/spec/{name}"}
        for name in changed
    ]


def _only_restarted(now: Any, before: Any) -> bool:
    """Whether only the time of the last restart differs: another rollout would change nothing."""
    return not _differences(_without_restart(now), _without_restart(before))


def _without_restart(spec: Any) -> Any:
    cleaned = copy.deepcopy(spec)
    cleaned["template"]["metadata"].get("annotations", {}).pop(RESTARTED, None)
    return cleaned
