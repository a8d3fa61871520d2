"""A Deployment and a Service on this machine: pods are started, replaced and ended by the rules of a rolling update."""

import asyncio
import itertools
import json
import secrets
from collections.abc import Mapping
from typing import Any

from drydock.local.merge import merged
from drydock.local.pod import LocalPod
from drydock.local.recorder import LocalRecorder
from drydock.local.runtime import LocalRuntime
from drydock.local.template import Template
from drydock.manifests.shutdown_budget import PROPAGATION_SECONDS
from drydock.system.ports import free_port

# On kind it takes 1 to 2 s.
ROUTE_SECONDS = PROPAGATION_SECONDS / 2


class LocalDeployment:
    """Everything here runs in one event loop; `router` is the input of the router's process."""

    def __init__(
        self,
        runtime: LocalRuntime,
        manifest: Mapping[str, Any],
        recorder: LocalRecorder,
        router: asyncio.StreamWriter,
    ) -> None:
        self.pods: list[LocalPod] = []
        self.replicas = 0
        self._runtime = runtime
        self._recorder = recorder
        self._router = router
        self._numbers = itertools.count(1)
        self._revisions: list[Mapping[str, Any]] = [dict(manifest)]
        self._current = 0
        self._before: list[int] = []
        self._routes: set[asyncio.TimerHandle] = set()
        self._reconciling: asyncio.Handle | None = None
        self._closed = False

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The current specification of the Deployment."""
        return self._revisions[self._current]

    @property
    def template(self) -> Template:
        """The template of a new pod."""
        return Template(self.manifest, self._runtime.project, self._runtime.postgres.dsn)

    @property
    def complete(self) -> bool:
        """Whether all pods are of the newest template and ready, and no other is left."""
        new = [pod for pod in self.pods if pod.revision == self._current and pod.serving]
        return len(new) == len(self.pods) == self.replicas

    def scale(self, replicas: int) -> None:
        """So many pods are wanted."""
        self.replicas = replicas
        self._reconcile()

    def apply(self, patch: Mapping[str, Any]) -> None:
        """Lays a strategic merge patch over it."""
        self.replace(merged(self.manifest, patch))

    def restart(self) -> None:
        """The same template, with a new mark."""
        annotations = {"annotations": {"restarted": secrets.token_hex(4)}}
        self.apply({"spec": {"template": {"metadata": annotations}}})

    def undo(self) -> None:
        """The template before the last change."""
        if self._before:
            self._current = self._before.pop()
            self._reconcile()

    def replace(self, manifest: Mapping[str, Any]) -> None:
        """This is wanted from now on; a template that was there before has its old revision again."""
        wanted = dict(manifest)
        known = next((number for number, it in enumerate(self._revisions) if it == wanted), None)
        if known == self._current:
            return
        if known is None:
            self._revisions.append(wanted)
            known = len(self._revisions) - 1
        self._before.append(self._current)
        self._current = known
        self._reconcile()

    def pod(self, name: str) -> LocalPod:
        """A pod by its name. Raises KeyError where there is none."""
        for pod in self.pods:
            if pod.name == name:
                return pod
        raise KeyError(name)

    async def close(self) -> None:
        """Ends every pod at once."""
        self._closed = True
        for route in self._routes:
            route.cancel()
        await asyncio.gather(*(pod.close() for pod in self.pods))

    def _changed(self) -> None:
        """A pod's readiness or existence has changed."""
        self.pods = [pod for pod in self.pods if not pod.gone]
        self._tell_endpoints()
        self._reconcile()

    def _reconcile(self) -> None:
        """Looks again in the loop's next turn: several changes at once are one."""
        if self._reconciling is None and not self._closed:
            self._reconciling = asyncio.get_running_loop().call_soon(self._step)

    def _step(self) -> None:
        self._reconciling = None
        if self._closed:
            return
        alive = [pod for pod in self.pods if not pod.deleted]
        new = [pod for pod in alive if pod.revision == self._current]
        old = sorted((pod for pod in alive if pod.revision != self._current), key=lambda pod: pod.ready)
        rolling = self.manifest["spec"].get("strategy", {}).get("rollingUpdate", {})
        room = self.replicas + int(rolling.get("maxSurge", 1)) - len(alive)
        for _ in range(min(self.replicas - len(new), max(0, room)) if old else self.replicas - len(new)):
            self._create()
        for pod in sorted(new, key=lambda pod: pod.ready)[: max(0, len(new) - self.replicas)]:
            pod.delete()
        spare = sum(pod.ready for pod in alive) - self.replicas + int(rolling.get("maxUnavailable", 0))
        for pod in old:
            if not pod.ready:
                pod.delete()
            elif spare > 0:
                spare -= 1
                pod.delete()

    def _create(self) -> None:
        name = f"{self._runtime.project.configuration.workload.deployment}-{self._current}-{next(self._numbers)}"
        start = self._runtime.start
        self.pods.append(
            LocalPod(name, self._current, self.template, free_port(), start, self._recorder, self._changed)
        )

    def _tell_endpoints(self) -> None:
        service = self._runtime.project.configuration.workload.service
        endpoints = {pod.name: {"ready": pod.serving} for pod in self.pods}
        self._recorder.notify("EndpointSlice", service, "uid-endpoints", {"service": service, "endpoints": endpoints})
        ports = {pod.name: pod.port for pod in self.pods if pod.serving}
        self._routes.add(asyncio.get_running_loop().call_later(ROUTE_SECONDS, self._route, ports))

    def _route(self, ports: Mapping[str, int]) -> None:
        self._router.write(json.dumps(ports).encode() + b"\n")
