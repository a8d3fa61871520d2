"""The lifecycle lines in the logs of the service's pods."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lightkube import AsyncClient

from drydock.core.project import Lifecycle
from drydock.timeline.watching import BROKEN

# The fields of every log line. The others belong to the event.
COMMON = frozenset({"level", "logger", "message", "timestamp", "pod"})
# The pause before the log is opened again: a restarted container has a new log.
PAUSE_SECONDS = 0.5
# Log lines arrive with a delay, and the API's `sinceSeconds` counts whole seconds.
OVERLAP_SECONDS = 2
# lightkube 1.0.1 reads the body of a refused stream incorrectly, and httpx raises a RuntimeError for it.
REFUSED = (*BROKEN, RuntimeError)

type State = dict[str, Any]


@dataclass
class LifecycleLog:
    """Reads the log of one pod's container, and calls `on_line(pod, state)` once for each event.

    `since` is in Unix seconds. Older lines are ignored.
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
        """Follows the log until the pod is gone or the task is cancelled."""
        while True:
            await self.read(client, follow=True)
            if self.gone:
                return
            await asyncio.sleep(PAUSE_SECONDS)

    async def read(self, client: AsyncClient, *, follow: bool = False) -> None:
        """Reads the lines since the last read; with `follow`, also the lines to come. Ends when the stream breaks."""
        seconds = int(time.time() - self.since + OVERLAP_SECONDS)
        try:
            async for line in client.log(
                self.pod, namespace=self.namespace, container=self.container, follow=follow, since=seconds
            ):
                self.since = time.time()
                self._notify(line)
        except REFUSED:
            pass  # the container has not started yet or is gone, or the connection broke

    def _notify(self, line: str) -> None:
        state = event(line, self.lifecycle)
        if state is None or (known := (state["event"], state["time"])) in self._seen:
            return
        self._seen.add(known)
        self.on_line(self.pod, state)


def event(line: str, lifecycle: Lifecycle | None) -> State | None:
    """The event of a lifecycle line under drydock's own name, its time and its fields; None for any other line."""
    if lifecycle is None or lifecycle.logger not in line:
        return None
    try:
        content = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(content, dict) or content.get("logger") != lifecycle.logger:
        return None
    more = {name: value for name, value in content.items() if name not in COMMON and "." not in name}
    names = {renamed: name for name, renamed in lifecycle.events.items()}
    message = str(content.get("message", ""))
    return {"event": names.get(message, message), "time": str(content.get("timestamp", "")), **more}
