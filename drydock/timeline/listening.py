"""When the logs of a workload's pods are read for their lifecycle lines."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from lightkube import AsyncClient

from drydock.core.project import Workload
from drydock.timeline.lifecycle import LifecycleLog, State
from drydock.timeline.observation import Observation, owner

# A log is at most 10 MB before the kubelet rotates it; a read of one takes well under a second.
READ_SECONDS = 10.0


class Listener:
    """Follows the log of a pod while it starts, ends or is not ready; what it said meanwhile is read after that.

    Of a container that is to be started again only the kubelet's Event tells in time, and its last words go with it:
    its successor's log is a new one.

    A pod that serves writes hundreds of lines a second and says nothing of its life. Each line that a follower waits
    for makes the kubelet ask the container runtime whether the container still runs (`waitLogs` in
    k8s.io/cri-client/pkg/logs): at 210 requests a second that is what a drill on two cores has no CPU for.
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
        """News of a pod, or an Event: a log is followed from now on, or no longer. All else is passed over."""
        if seen.kind == "Pod" and owner(seen) == self._workload.deployment:
            self._see_pod(seen)
        elif seen.kind == "Event" and seen.state["reason"] == "Killing":
            self._see_killing(seen.state["about"].removeprefix("Pod/"))

    async def catch_up(self) -> None:
        """Reads what the pods that are there have said since they were last listened to."""
        there = [pod.log for pod in self._pods.values() if not pod.log.gone]
        with suppress(TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                await asyncio.gather(*(log.read(self._client) for log in there))

    async def end(self) -> None:
        """Follows no more."""
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
            pod.let_go()
        elif seen.state["phase"] == "Running":
            pod.follow(self._client)

    def _see_killing(self, name: str) -> None:
        """The kubelet ends a container of this pod: it is followed until it was started again."""
        for pod in self._pods.values():
            if pod.log.pod == name and not pod.log.gone:
                pod.killed = pod.restarts
                pod.follow(self._client)

    def _log(self, pod: str) -> LifecycleLog:
        workload = self._workload
        return LifecycleLog(pod, workload.namespace, workload.container, workload.lifecycle, self._since, self._on_line)


@dataclass
class _FollowedPod:
    """A pod's log and whoever follows it. `killed` is how often its container had been restarted when it was ended."""

    log: LifecycleLog
    restarts: int = 0
    killed: int | None = None
    following: asyncio.Task[None] | None = None

    def follow(self, client: AsyncClient) -> None:
        if self.following is None:
            self.following = asyncio.create_task(self.log.follow(client))

    def let_go(self) -> None:
        if self.following:
            self.following.cancel()
            self.following = None
