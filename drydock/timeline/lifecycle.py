"""The service's own words: its lifecycle log lines, followed pod by pod."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lightkube import AsyncClient

from drydock.timeline.watching import BROKEN

LOGGER = "app.lifecycle"
# What every line has, or says where it came from: the rest is what the event has to say.
COMMON = frozenset({"level", "logger", "message", "timestamp", "pod"})
# A container that is started again has a new log.
PAUSE_SECONDS = 0.5
# lightkube 1.0.1 reads the body of a refused stream the wrong way, which httpx answers with a RuntimeError.
REFUSED = (*BROKEN, RuntimeError)

type State = dict[str, Any]


@dataclass
class LifecycleLog:
    """Follows the log of one pod's container; `on_line(pod, state)` is called for each event once."""

    pod: str
    namespace: str
    container: str
    on_line: Callable[[str, State], None]
    gone: bool = False
    _seen: set[tuple[str, str]] = field(default_factory=set)

    async def run(self, client: AsyncClient, since: float) -> None:
        """Goes on until the pod is gone, or it is cancelled. `since` in Unix seconds: older lines are not told."""
        while True:
            seconds = max(1, int(time.time() - since) + 1)
            try:
                following = client.log(
                    self.pod, namespace=self.namespace, container=self.container, follow=True, since=seconds
                )
                async for line in following:
                    self._read(line)
            except REFUSED:
                pass  # the container has not started, or is gone; the connection broke
            if self.gone:
                return
            await asyncio.sleep(PAUSE_SECONDS)

    def _read(self, line: str) -> None:
        state = event(line)
        if state is None or (known := (state["event"], state["time"])) in self._seen:
            return
        self._seen.add(known)
        self.on_line(self.pod, state)


def event(line: str) -> State | None:
    """What a lifecycle line says: its event, its time, and what belongs to it; None for every other line."""
    if LOGGER not in line:
        return None
    try:
        said = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(said, dict) or said.get("logger") != LOGGER:
        return None
    more = {name: value for name, value in said.items() if name not in COMMON and "." not in name}
    return {"event": str(said.get("message", "")), "time": str(said.get("timestamp", "")), **more}
