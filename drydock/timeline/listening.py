"""When the logs of a workload's pods are read for their lifecycle lines."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from lightkube import AsyncClient

from drydock.project import Workload
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
        self._logs: dict[str, LifecycleLog] = {}
        self._pods: dict[str, Observation] = {}
        self._killed: dict[str, int] = {}
        self._following: dict[str, asyncio.Task[None]] = {}

    def see(self, pod: Observation) -> None:
        """A pod's news: follows its log from now on, or no longer. Pods of other workloads are passed over."""
        if owner(pod) != self._workload.deployment:
            return
        self._pods[pod.name] = pod
        if pod.change == "removed":
            del self._pods[pod.name]
            if log := self._logs.pop(pod.uid, None):
                log.gone = True
        elif self._is_quiet(pod):
            self._log(pod)
            if following := self._following.pop(pod.uid, None):
                following.cancel()
        elif pod.state["phase"] == "Running":
            self._follow(pod)

    def see_killing(self, name: str) -> None:
        """The kubelet ends a container of this pod: it is followed until it was started again."""
        if pod := self._pods.get(name):
            self._killed[pod.uid] = pod.state["restarts"]
            self._follow(pod)

    async def catch_up(self) -> None:
        """Reads what the pods that are there have said since they were last listened to."""
        with suppress(TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                await asyncio.gather(*(log.read(self._client) for log in self._logs.values()))

    async def end(self) -> None:
        """Follows no more."""
        for following in self._following.values():
            following.cancel()
        await asyncio.gather(*self._following.values(), return_exceptions=True)

    def _is_quiet(self, pod: Observation) -> bool:
        restarting = self._killed.get(pod.uid) == pod.state["restarts"]
        return bool(pod.state["ready"]) and not pod.state["deletion"] and not restarting

    def _follow(self, pod: Observation) -> None:
        if pod.uid not in self._following:
            self._following[pod.uid] = asyncio.create_task(self._log(pod).follow(self._client))

    def _log(self, pod: Observation) -> LifecycleLog:
        if pod.uid not in self._logs:
            workload = self._workload
            self._logs[pod.uid] = LifecycleLog(
                pod.name, workload.namespace, workload.container, self._since, self._on_line
            )
        return self._logs[pod.uid]
