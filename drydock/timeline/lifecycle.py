"""The service's own words: its lifecycle log lines, pod by pod."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lightkube import AsyncClient

from drydock.core.project import Lifecycle
from drydock.timeline.watching import BROKEN

# What every line has, or says where it came from: the rest is what the event has to say.
COMMON = frozenset({"level", "logger", "message", "timestamp", "pod"})
# A container that is started again has a new log.
PAUSE_SECONDS = 0.5
# Lines are under way for a moment, and the API server counts in whole seconds.
OVERLAP_SECONDS = 2
# lightkube 1.0.1 reads the body of a refused stream the wrong way, which httpx answers with a RuntimeError.
REFUSED = (*BROKEN, RuntimeError)

type State = dict[str, Any]


@dataclass
class LifecycleLog:
    """Reads the log of one pod's container; `on_line(pod, state)` is called for each event once.

    `since` in Unix seconds: lines that are older are not told.
    """

    pod: str
    namespace: str
    container: str
    lifecycle: Lifecycle | None
    since: float
    on_line: Callable[[str, State], None]
    gone: bool = False
    _seen: set[tuple[str, str]] = field(default_factory=set)

    async def follow(self, client: AsyncClient) -> None:
        """Goes on until the pod is gone, or it is cancelled."""
        while True:
            await self.read(client, follow=True)
            if self.gone:
                return
            await asyncio.sleep(PAUSE_SECONDS)

    async def read(self, client: AsyncClient, *, follow: bool = False) -> None:
        """What there is since it was read last, as far as the API server gives it; followed, what comes too."""
        seconds = int(time.time() - self.since + OVERLAP_SECONDS)
        try:
            async for line in client.log(
                self.pod, namespace=self.namespace, container=self.container, follow=follow, since=seconds
            ):
                self.since = time.time()
                self._notify(line)
        except REFUSED:
            pass  # the container has not started, or is gone; the connection broke

    def _notify(self, line: str) -> None:
        state = event(line, self.lifecycle)
        if state is None or (known := (state["event"], state["time"])) in self._seen:
            return
        self._seen.add(known)
        self.on_line(self.pod, state)


def event(line: str, lifecycle: Lifecycle | None) -> State | None:
    """The event of a lifecycle line, by the tool's own name, its time, and its fields; None for every other line."""
    if lifecycle is None or lifecycle.logger not in line:
        return None
    try:
        content = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(content, dict) or content.get("logger") != lifecycle.logger:
        return None
    more = {name: value for name, value in content.items() if name not in COMMON and "." not in name}
    ours = {theirs: name for name, theirs in lifecycle.events.items()}
    message = str(content.get("message", ""))
    return {"event": ours.get(message, message), "time": str(content.get("timestamp", "")), **more}
