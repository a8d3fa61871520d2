"""The timeline of the local platform: the same observations as on kind, recorded by the platform itself."""

import threading
import time
from datetime import UTC, datetime
from typing import Any

from drydock.timeline.history import History
from drydock.timeline.observation import Change, Observation
from drydock.timeline.routes import Route


class LocalRecorder:
    """Keeps each observation that differs from the one before it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._observations: list[Observation] = []
        self._latest: dict[str, dict[str, Any]] = {}
        self._routes: list[Route] = []

    @property
    def history(self) -> History:
        """The records so far."""
        with self._lock:
            return History(tuple(self._observations))

    def complete(self) -> History:
        """The same as `history`: every observation arrives as it happens."""
        return self.history

    @property
    def routes(self) -> list[Route]:
        """The routes of the connections so far."""
        with self._lock:
            return list(self._routes)

    def route(self, route: Route) -> None:
        """The router has forwarded a connection."""
        with self._lock:
            self._routes.append(route)

    def notify(self, kind: str, name: str, uid: str, state: dict[str, Any], change: Change = "changed") -> None:
        """An object is in this state from now on."""
        with self._lock:
            if change == "changed" and self._latest.get(uid) == state:
                return
            self._latest[uid] = state
            now = time.time()
            self._observations.append(Observation(now, kind, name, uid, f"{now:.6f}", change, state))

    def line(self, pod: str, state: dict[str, Any]) -> None:
        """A lifecycle line of a pod."""
        self.notify("Log", pod, f"{pod}/{state['event']}/{state['time']}", state, "added")

    def event(self, pod: str, reason: str, note: str) -> None:
        """Something that a component reports about a pod."""
        state = {"about": f"Pod/{pod}", "reason": reason, "note": note, "count": 1, "time": stamp()}
        self.notify("Event", pod, f"{pod}/{reason}/{time.time()}", state, "added")


def stamp(seconds: float | None = None) -> str:
    """A time (Unix seconds, default: now) in the format of the Kubernetes API, with microseconds."""
    return datetime.fromtimestamp(time.time() if seconds is None else seconds, UTC).isoformat()
