"""The journal of a drill: the state of the service before its first change, kept in the cluster beside the service.

It is also the lock of the service: the API server creates the ConfigMap once, so only one drill at a time holds it.
"""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import psutil

from drydock.cluster.namespace import Namespace
from drydock.core.errors import CannotRunError, FailedError
from drydock.system.pidfile import running

NAME = "drydock-drill"
RESTORE = "Restore the service: drydock drill restore"


@dataclass(frozen=True)
class Holder:
    """The process of a drill. `started` is its start in Unix seconds: a recycled pid belongs to a later process."""

    run: str
    host: str
    pid: int
    started: float
    since: str

    @classmethod
    def this_process(cls, run: str) -> Self:
        """This process as the holder, for the run of this name."""
        started = psutil.Process().create_time()
        return cls(run, socket.gethostname(), os.getpid(), started, datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def local(self) -> bool:
        """Whether it runs, or ran, on this machine."""
        return self.host == socket.gethostname()

    @property
    def alive(self) -> bool:
        """Whether the drill still runs. A process of another machine cannot be seen from here and counts as ended."""
        return self.local and running(self.pid, self.started) is not None

    def __str__(self) -> str:
        where = f"process {self.pid}" if self.local else f"process {self.pid} on {self.host}"
        return f"{self.run}, {where}, since {self.since}"


@dataclass(frozen=True)
class Entry:
    """The content of the journal. `before` is the recorded state by part; `cleanup` are SQL statements."""

    holder: Holder
    before: Mapping[str, Any]
    cleanup: str = ""


@dataclass
class Journal:
    """The journal of the service in a namespace."""

    namespace: Namespace
    _ours: Holder | None = field(default=None, init=False)

    def open(self, run: str, before: Mapping[str, Any]) -> None:
        """Writes the journal of a run.

        Raises:
            CannotRunError: another drill holds the service, or has left changes.
        """
        holder = Holder.this_process(run)
        try:
            self.namespace.call("create", "--filename", "-", stdin=json.dumps(_manifest(Entry(holder, before))))
        except FailedError:
            self.refuse()
            raise
        self._ours = holder

    def refuse(self) -> None:
        """Raises CannotRunError if a drill holds the service, or has left changes."""
        if (entry := self.read()) is None:
            return
        if entry.holder.alive:
            remedy = f"Wait for it, or end it: kill -TERM {entry.holder.pid}"
            raise CannotRunError(f"another drill is running: {entry.holder}", remedy)
        raise CannotRunError(f"a drill was interrupted and has left changes: {entry.holder}", RESTORE)

    def read(self) -> Entry | None:
        """The journal; None without one."""
        found = self.namespace.call("get", "configmap", NAME, "--ignore-not-found", "--output", "json")
        if not found:
            return None
        data = json.loads(found)["data"]
        return Entry(Holder(**json.loads(data["holder"])), json.loads(data["before"]), data["cleanup"])

    def take_over(self) -> Entry | None:
        """The journal of a drill that has ended without restoring the service; None without one.

        Raises:
            CannotRunError: that drill still runs.
        """
        entry = self.read()
        if entry and entry.holder.alive:
            self.refuse()
        self._ours = entry.holder if entry else None
        return entry

    def ours(self) -> Entry | None:
        """The journal if this process has written it, or has taken it over."""
        entry = self.read() if self._ours else None
        return entry if entry and entry.holder == self._ours else None

    def add_cleanup(self, statements: str) -> None:
        """Adds SQL statements that remove what the drill adds to the database. They must be idempotent."""
        patch = json.dumps({"data": {"cleanup": statements}})
        self.namespace.call("patch", "configmap", NAME, "--type=merge", f"--patch={patch}")

    def close(self) -> None:
        """Deletes the journal: the service is restored."""
        self.namespace.call("delete", "configmap", NAME, "--ignore-not-found")
        self._ours = None


def _manifest(entry: Entry) -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "drydock"}
    data = {"holder": json.dumps(asdict(entry.holder)), "before": json.dumps(entry.before), "cleanup": entry.cleanup}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME, "labels": labels}, "data": data}
