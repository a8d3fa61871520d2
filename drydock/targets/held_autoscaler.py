"""Holds an autoscaler: a pod that the load of a drill adds would change what the drill measures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drydock.cluster import keda
from drydock.cluster.autoscaler import PAUSED_AT
from drydock.cluster.keda import SCALED_OBJECTS
from drydock.cluster.namespace import Namespace
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Workload
from drydock.system.wait import wait_until

# KEDA and the autoscaler's controller look every 15 s.
SECONDS = 60.0
BOUNDS = ("minReplicas", "maxReplicas")


@dataclass(frozen=True)
class HeldAutoscaler:
    """The autoscaler of the workload: a ScaledObject of KEDA, a plain HorizontalPodAutoscaler, or none.

    Its state holds what a drill changes: of a ScaledObject the pause and the triggers, of an autoscaler the bounds, and
    of a Deployment without one the replicas.
    """

    namespace: Namespace
    workload: Workload
    title: str = "autoscaler"

    def hold(self, replicas: int) -> None:
        """Keeps the Deployment at this number.

        Raises:
            CannotRunError: it does not come to that number within a minute.
        """
        if found := self._scaled_object():
            self._pause(found["metadata"]["name"], str(replicas))
        elif found := self._autoscaler():
            self._bound(found["metadata"]["name"], {"minReplicas": replicas, "maxReplicas": replicas})
        else:
            self._scale(replicas)
        if not wait_until(lambda: self._wanted() == replicas, SECONDS, interval=0.5):
            reason = f"{self.workload.deployment} is not held at {replicas} pods, but wants {self._wanted()}"
            raise CannotRunError(reason, "Look for another autoscaler: drydock doctor")

    def read(self) -> dict[str, Any]:
        """Its state."""
        if found := self._scaled_object():
            paused = (found["metadata"].get("annotations") or {}).get(PAUSED_AT)
            return {"scaled_object": found["metadata"]["name"], "paused": paused, "triggers": found["spec"]["triggers"]}
        if found := self._autoscaler():
            return {"autoscaler": found["metadata"]["name"], "bounds": {it: found["spec"].get(it) for it in BOUNDS}}
        return {"replicas": self._wanted()}

    def restore(self, before: Mapping[str, Any]) -> None:
        """Lets it decide again. Where the service has another kind of autoscaler by now, nothing is to be restored.

        Raises:
            FailedError: it is not back within a minute.
        """
        now = self.read()
        if now.keys() != before.keys():
            return
        if name := before.get("scaled_object"):
            triggers = json.dumps({"spec": {"triggers": before["triggers"]}})
            self.namespace.call("patch", "scaledobject", name, "--type=merge", f"--patch={triggers}")
            self._pause(name, before["paused"])
            if before["paused"] is None and not wait_until(lambda: bool(self._autoscaler()), SECONDS, interval=0.5):
                raise FailedError("KEDA did not bring its autoscaler back", "drydock doctor")
        elif name := before.get("autoscaler"):
            self._bound(name, before["bounds"])
        else:
            self._scale(before["replicas"])

    def _scaled_object(self) -> Any:
        """The ScaledObject of the Deployment. None without one, or without KEDA."""
        return self._of(SCALED_OBJECTS) if keda.installed(self.namespace.cluster) else None

    def _autoscaler(self) -> Any:
        return self._of("hpa")

    def _of(self, kind: str) -> Any:
        items = self.namespace.get(kind)["items"]
        return next((it for it in items if it["spec"]["scaleTargetRef"]["name"] == self.workload.deployment), None)

    def _pause(self, name: str, replicas: str | None) -> None:
        setting = f"{PAUSED_AT}-" if replicas is None else f"{PAUSED_AT}={replicas}"
        self.namespace.call("annotate", "--overwrite", "scaledobject", name, setting)

    def _bound(self, name: str, bounds: Mapping[str, Any]) -> None:
        self.namespace.call("patch", "hpa", name, "--type=merge", f"--patch={json.dumps({'spec': bounds})}")

    def _scale(self, replicas: int) -> None:
        self.namespace.call("scale", f"deployment/{self.workload.deployment}", f"--replicas={replicas}")

    def _wanted(self) -> int:
        return int(self.namespace.get("deployment", self.workload.deployment)["spec"]["replicas"])
