"""The Deployment of the service, as drills change it."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drydock.cluster.namespace import Namespace
from drydock.core.errors import FailedError
from drydock.core.project import Workload
from drydock.system.wait import wait_until
from drydock.targets.target import ROLLOUT_SECONDS

# The fields that patches of drills change.
CHANGED = ("template", "strategy", "progressDeadlineSeconds", "minReadySeconds")
RESTARTED = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True)
class Deployment:
    """The state holds the changed fields of its spec, without the time of the last restart."""

    namespace: Namespace
    workload: Workload

    @property
    def title(self) -> str:
        """The name for a person."""
        return f"Deployment {self.workload.deployment}"

    def get(self) -> Any:
        """The object."""
        return self.namespace.get("deployment", self.workload.deployment)

    def pods(self) -> list[Any]:
        """Its pods, including terminating ones."""
        selector = f"--selector=app.kubernetes.io/name={self.workload.deployment}"
        pods: list[Any] = self.namespace.get("pods", selector)["items"]
        return pods

    def patch(self, patch: Mapping[str, Any]) -> None:
        """Applies a strategic merge patch. Raises FailedError if the API server rejects it."""
        self.namespace.call("patch", self.name, "--type=strategic", f"--patch={json.dumps(patch)}")

    def read(self) -> dict[str, Any]:
        """Its state."""
        spec = copy.deepcopy(self.get()["spec"])
        spec["template"]["metadata"].get("annotations", {}).pop(RESTARTED, None)
        return {name: spec[name] for name in CHANGED if name in spec}

    def restore(self, before: Mapping[str, Any]) -> None:
        """Restores its fields and waits for the rollout. A newer image stays: it was deployed since.

        Raises:
            FailedError: its pods do not become ready.
        """
        now = self.read()
        if change := differences(now, with_images_of(before, now)):
            self.namespace.call("patch", self.name, "--type=json", f"--patch={json.dumps(change)}")
        if not self.wait_for_rollout(ROLLOUT_SECONDS):
            remedy = f"kubectl --namespace {self.namespace.name} get pods"
            raise FailedError(f"the pods of {self.workload.deployment} do not become ready", remedy)

    def wait_for_rollout(self, seconds: float) -> bool:
        """Waits until every pod is of the newest template and ready, and none is terminating."""
        return wait_until(self._complete, seconds, interval=0.5)

    @property
    def name(self) -> str:
        """The name for kubectl."""
        return f"deployment/{self.workload.deployment}"

    def _complete(self) -> bool:
        found = self.get()
        wanted, status = found["spec"]["replicas"], found["status"]
        seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
        counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
        return seen and counts == {wanted} and len(self.pods()) == wanted


def differences(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The JSON patch (RFC 6902) from the state `now` to the state `before`."""
    changed = [name for name in CHANGED if now.get(name) != before.get(name)]
    return [
        {"op": "add", "path": f"/spec/{name}", "value": before[name]}
        if name in before
        else {"op": "remove", "path": f"/spec/{name}"}
        for name in changed
    ]


def with_images_of(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The state `before` with the images of the containers as they are now."""
    images = {it["name"]: it["image"] for it in now["template"]["spec"]["containers"]}
    state = copy.deepcopy(dict(before))
    for container in state["template"]["spec"]["containers"]:
        container["image"] = images.get(container["name"], container["image"])
    return state
