"""Holding an autoscaler: while a drill counts two pods, a third one that comes for its load would blur the account."""

import json
from dataclasses import dataclass, field
from typing import Any

from drydock.cluster.autoscaler import PAUSED_AT
from drydock.cluster.autoscaler_choice import SCALED_OBJECTS
from drydock.cluster.kind import Cluster
from drydock.core.errors import CannotRunError
from drydock.core.project import Workload
from drydock.system.wait import wait_until

# KEDA and the autoscaler's controller look every 15 s.
SECONDS = 60.0


@dataclass
class HeldAutoscaler:
    """The autoscaler of the workload: a ScaledObject of KEDA, or a plain HorizontalPodAutoscaler."""

    cluster: Cluster
    workload: Workload
    _bounds: dict[str, Any] | None = field(default=None, init=False)

    def hold(self, replicas: int) -> None:
        """Keeps the Deployment at this number.

        Raises:
            CannotRunError: it does not come to that number within a minute.
        """
        if name := self._scaled_object():
            self._call("annotate", "--overwrite", "scaledobject", name, f"{PAUSED_AT}={replicas}")
        elif scaler := self._autoscaler():
            self._bounds = self._bounds or {name: scaler["spec"][name] for name in ("minReplicas", "maxReplicas")}
            self._bound({"minReplicas": replicas, "maxReplicas": replicas})
        else:
            self._call("scale", f"deployment/{self.workload.deployment}", f"--replicas={replicas}")
        if not wait_until(lambda: self._wanted() == replicas, SECONDS, interval=0.5):
            reason = f"{self.workload.deployment} is not held at {replicas} pods, but wants {self._wanted()}"
            raise CannotRunError(reason, "Look for another autoscaler: drydock doctor")

    def release(self) -> None:
        """Lets it decide again.

        Raises:
            CannotRunError: it is not back within a minute.
        """
        if name := self._scaled_object():
            self._call("annotate", "scaledobject", name, f"{PAUSED_AT}-")
            if not wait_until(lambda: self._autoscaler() is not None, SECONDS, interval=0.5):
                raise CannotRunError("KEDA did not bring its autoscaler back", "drydock doctor")
        elif self._bounds:
            self._bound(self._bounds)
            self._bounds = None

    def _scaled_object(self) -> str | None:
        """The ScaledObject of the Deployment. None without one, or without KEDA."""
        if not self.cluster.call("get", "crd", SCALED_OBJECTS, "--ignore-not-found", "--output", "name"):
            return None
        return self._of(SCALED_OBJECTS)

    def _of(self, kind: str) -> str | None:
        items = self.cluster.get(kind, "--namespace", self.workload.namespace)["items"]
        ours = (it for it in items if it["spec"]["scaleTargetRef"]["name"] == self.workload.deployment)
        return next((it["metadata"]["name"] for it in ours), None)

    def _autoscaler(self) -> Any:
        items = self.cluster.get("hpa", "--namespace", self.workload.namespace)["items"]
        return next((it for it in items if it["spec"]["scaleTargetRef"]["name"] == self.workload.deployment), None)

    def _bound(self, bounds: dict[str, Any]) -> None:
        name = self._of("hpa") or self.workload.deployment
        self._call("patch", "hpa", name, "--type=merge", f"--patch={json.dumps({'spec': bounds})}")

    def _wanted(self) -> int:
        found = self.cluster.get("deployment", self.workload.deployment, "--namespace", self.workload.namespace)
        return int(found["spec"]["replicas"])

    def _call(self, *arguments: str) -> None:
        self.cluster.call("--namespace", self.workload.namespace, *arguments)
