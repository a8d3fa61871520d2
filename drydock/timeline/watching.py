"""Lists and watches one kind of object, and recovers from every error of the API server.

lightkube resumes a watch that the server closes in good order. Any other error (a broken connection, 410 Gone, an
invalid line) ends the watch. The objects are then listed again and compared with the known ones, so that every change
in between is reported. Only the order of these changes is lost.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import msgspec
from lightkube import AsyncClient
from lightkube.generic_resource import GenericNamespacedResource, create_namespaced_resource

from drydock.timeline.observation import Change

# The pause before a watch restarts: the first one, and the longest one while the API server does not answer.
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
# The server closes a watch after this time and lightkube opens a new one, so that a silently dead connection ends.
WATCH_SECONDS = 60
# A broken response may be anything: not JSON, JSON but not an object, an object without a name, a quantity of "many".
BROKEN = (httpx2.HTTPError, msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError)
CHANGES: dict[str, Change] = {"ADDED": "added", "MODIFIED": "changed", "DELETED": "removed"}

type Resource = type[GenericNamespacedResource]

RESOURCES: dict[str, Resource] = {
    "Pod": create_namespaced_resource("", "v1", "Pod", "pods"),
    "EndpointSlice": create_namespaced_resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    "HorizontalPodAutoscaler": create_namespaced_resource(
        "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"
    ),
    "Deployment": create_namespaced_resource("apps", "v1", "Deployment", "deployments"),
    "Event": create_namespaced_resource("events.k8s.io", "v1", "Event", "events"),
}


@dataclass
class Watch:
    """Watches one kind in one namespace.

    Calls `on_change(change, object)` once for each version of an object, `on_restart(reason)` before the watch
    restarts, and `on_listed()` after each list.
    """

    kind: str
    namespace: str
    on_change: Callable[[Change, Any], None]
    on_restart: Callable[[str], None]
    on_listed: Callable[[], None]
    _known: dict[str, Any] = field(default_factory=dict)
    _pause: float = FIRST_PAUSE_SECONDS

    async def run(self, client: AsyncClient) -> None:
        """Runs until the task is cancelled."""
        while True:
            try:
                await self._follow(client, await self._list(client))
            except BROKEN as error:
                self.on_restart(f"{type(error).__name__}: {error}"[:300])
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    async def _list(self, client: AsyncClient) -> str:
        """Lists the objects and reports the differences from the known ones; returns the version to watch from."""
        listing = client.list(RESOURCES[self.kind], namespace=self.namespace)
        found = {item["metadata"]["uid"]: item async for item in listing}
        for change, item in self._differences(found):
            self._report(change, item)
        self.on_listed()
        return listing.resourceVersion

    def _differences(self, found: dict[str, Any]) -> Iterator[tuple[Change, Any]]:
        for uid in self._known.keys() - found.keys():
            yield "removed", self._known[uid]
        for uid, item in found.items():
            yield ("changed" if uid in self._known else "added"), item

    async def _follow(self, client: AsyncClient, version: str) -> None:
        watch = client.watch(
            RESOURCES[self.kind], namespace=self.namespace, resource_version=version, server_timeout=WATCH_SECONDS
        )
        async for event, item in watch:
            self._pause = FIRST_PAUSE_SECONDS
            if change := CHANGES.get(event):  # a BOOKMARK has a version and no change
                self._report(change, item)

    def _report(self, change: Change, item: Any) -> None:
        """Calls `on_change`, unless this version is known: after a restart the server may send a version again."""
        uid, version = item["metadata"]["uid"], item["metadata"]["resourceVersion"]
        known = self._known.get(uid)
        if change == "removed":
            if self._known.pop(uid, None) is None:
                return
        else:
            if known is not None and known["metadata"]["resourceVersion"] == version:
                return
            self._known[uid] = item
            change = "added" if known is None else "changed"
        self.on_change(change, item)
