"""Decides which logs of a workload's pods are followed, and when."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from lightkube import AsyncClient

from drydock.core.project import Workload
from drydock.timeline.lifecycle import LifecycleLog, State
from drydock.timeline.observation import Observation, owner

# The kubelet rotates a log at 10 MB; reading that much takes well under a second.
READ_SECONDS = 10.0


class Listener:
    """Follows the log of a pod while it starts, terminates or is not ready. `catch_up` reads the lines in between.

    A restarted container has a new log, so the last lines of the old one must be read while it stops. The kubelet's
    Event `Killing` is the only early notice of that.

    A ready pod is not followed. It writes hundreds of access lines a second and no lifecycle lines, and for each line
    that a follower waits for, the kubelet asks the container runtime if the container still runs (`waitLogs` in
    k8s.io/cri-client/pkg/logs). At 210 requests a second, a drill on two cores lacks the CPU for that.
    """

    def __init__(
        self, client: AsyncClient, workload: Workload, since: float, on_line: Callable[[str, State], None]
    ) -> None:
        self._client = client
        self._workload = workload
        self._since = since
        self._on_line = on_line
        self._pods: dict[str, _FollowedPod] = {}

    def see(self, seen: Observation) -> None:
        """Starts or stops following a log, according to an observation of a pod or an Event. Ignores other kinds."""
        if seen.kind == "Pod" and owner(seen) == self._workload.deployment:
            self._see_pod(seen)
        elif seen.kind == "Event" and seen.state["reason"] == "Killing":
            self._see_killing(seen.state["about"].removeprefix("Pod/"))

    async def catch_up(self) -> None:
        """Reads the lines that the existing pods have written since their last read."""
        existing = [pod.log for pod in self._pods.values() if not pod.log.gone]
        with suppress(TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                await asyncio.gather(*(log.read(self._client) for log in existing))

    async def end(self) -> None:
        """Stops following all logs."""
        following = [pod.following for pod in self._pods.values() if pod.following]
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)

    def _see_pod(self, seen: Observation) -> None:
        pod = self._pods.get(seen.uid) or self._pods.setdefault(seen.uid, _FollowedPod(self._log(seen.name)))
        pod.restarts = seen.state["restarts"]
        if seen.change == "removed":
            pod.log.gone = True
        elif seen.state["ready"] and not seen.state["deletion"] and pod.killed != pod.restarts:
            pod.stop_following()
        elif seen.state["phase"] == "Running":
            pod.follow(self._client)

    def _see_killing(self, name: str) -> None:
        """Follows a pod whose container the kubelet stops, until the container has been restarted."""
        for pod in self._pods.values():
            if pod.log.pod == name and not pod.log.gone:
                pod.killed = pod.restarts
                pod.follow(self._client)

    def _log(self, pod: str) -> LifecycleLog:
        workload = self._workload
        return LifecycleLog(pod, workload.namespace, workload.container, workload.lifecycle, self._since, self._on_line)


@dataclass
class _FollowedPod:
    """A pod's log and the task that follows it. `killed` is the restart count when the kubelet killed the container."""

    log: LifecycleLog
    restarts: int = 0
    killed: int | None = None
    following: asyncio.Task[None] | None = None

    def follow(self, client: AsyncClient) -> None:
        if self.following is None:
            self.following = asyncio.create_task(self.log.follow(client))

    def stop_following(self) -> None:
        if self.following:
            self.following.cancel()
            self.following = None
