"""Records the objects of a namespace in a background thread."""

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lightkube import AsyncClient, KubeConfig

from drydock.cluster.kind import CONTEXT, guard
from drydock.core.errors import CannotRunError
from drydock.core.project import Workload
from drydock.timeline import states
from drydock.timeline.connection_tracking import ConnectionTracking
from drydock.timeline.history import History, Restart, at
from drydock.timeline.listening import Listener
from drydock.timeline.observation import Change, Observation
from drydock.timeline.routes import Route
from drydock.timeline.watching import RESOURCES, Watch

FIRST_LIST_SECONDS = 15.0
# About 1 KB each. A scaling drill of four minutes makes some 600.
MOST_OBSERVATIONS = 50_000


class Timeline:
    """Records the namespace until the end of the block.

    It keeps at most `most` observations; `dropped` counts the rest. With a workload, it also records the lifecycle
    lines of its pods, as observations of the kind Log; with `connections`, the pod that each of them was routed to.

    Raises:
        CannotRunError: the kubeconfig points at another cluster, or the API server does not answer.
    """

    def __init__(
        self,
        kubeconfig: Path,
        namespace: str,
        *,
        workload: Workload | None = None,
        connections: ConnectionTracking | None = None,
        most: int = MOST_OBSERVATIONS,
    ) -> None:
        guard(kubeconfig)
        self._configuration = KubeConfig.from_file(kubeconfig).get(CONTEXT)
        self._namespace = namespace
        self._workload = workload
        self._connections = connections
        self._most = most
        self._lock = threading.Lock()
        self._observations: list[Observation] = []
        self._restarts: list[Restart] = []
        self._latest: dict[str, Observation] = {}
        self._unlisted = set(RESOURCES)
        self._listed = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="timeline", daemon=True)
        self._stop: asyncio.Event | None = None
        self._listener: Listener | None = None
        self._entered = ExitStack()
        self.dropped = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._thread.start()
            stack.callback(self._end)
            if not self._listed.wait(FIRST_LIST_SECONDS):
                reason = "; ".join(restart.reason for restart in self._restarts[-1:]) or "no answer"
                missing = ", ".join(sorted(self._unlisted))
                raise CannotRunError(f"the API server did not list {missing}: {reason}", "Run `drydock status`.")
            if self._connections:
                stack.enter_context(self._connections)
            self._entered = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.close()

    @property
    def history(self) -> History:
        """The record so far."""
        with self._lock:
            return History(tuple(self._observations), tuple(self._restarts), self.dropped)

    @property
    def routes(self) -> list[Route]:
        """The routes of the connections so far, without those to an address that no observed pod had."""
        translations = self._connections.translations if self._connections else []
        pods = self.history.addresses()
        named = ((it, at(pods.get(it.address, []), it.time)) for it in translations)
        return [Route(it.time, it.port, pod) for it, pod in named if pod]

    def complete(self) -> History:
        """The record so far, with the lifecycle lines of pods that were not followed. Takes about a second."""
        if self._listener:
            asyncio.run_coroutine_threadsafe(self._listener.catch_up(), self._loop).result()
        return self.history

    def current(self, kind: str) -> Sequence[Observation]:
        """The last observation of each existing object of a kind."""
        with self._lock:
            return [seen for seen in self._latest.values() if seen.kind == kind]

    def _end(self) -> None:
        if stop := self._stop:
            self._loop.call_soon_threadsafe(stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._watch())

    async def _watch(self) -> None:
        self._stop = asyncio.Event()
        # The API server is on the loopback interface, so a proxy from the environment must not be used.
        client = AsyncClient(config=self._configuration, namespace=self._namespace, trust_env=False)
        if self._workload and self._workload.lifecycle:
            self._listener = Listener(client, self._workload, time.time(), self._keep_line)
        watches = [asyncio.create_task(self._of(kind).run(client)) for kind in RESOURCES]
        await self._stop.wait()
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        if self._listener:
            await self._listener.end()
        await client.close()

    def _of(self, kind: str) -> Watch:
        return Watch(
            kind,
            self._namespace,
            on_change=lambda change, item: self._keep(kind, change, item),
            on_restart=lambda reason: self._keep_restart(kind, reason),
            on_listed=lambda: self._mark_listed(kind),
        )

    def _keep(self, kind: str, change: Change, item: Any) -> None:
        meta = item["metadata"]
        state = states.OF[kind](item)
        seen = Observation(time.time(), kind, meta["name"], meta["uid"], meta["resourceVersion"], change, state)
        # The API server lists Events for an hour after they happened.
        old = kind == "Event" and (kind in self._unlisted or change == "removed")
        if self._listener and not old:
            self._listener.see(seen)
        with self._lock:
            before = self._latest.get(seen.uid)
            if change == "removed":
                self._latest.pop(seen.uid, None)
            else:
                self._latest[seen.uid] = seen
            # Most new versions of an object do not change the state that is kept.
            repeated = change == "changed" and before is not None and before.state == state
            if not repeated and not old:
                self._append(seen)

    def _append(self, seen: Observation) -> None:
        if len(self._observations) < self._most:
            self._observations.append(seen)
        else:
            self.dropped += 1

    def _keep_line(self, pod: str, state: dict[str, Any]) -> None:
        with self._lock:
            uid = f"{pod}/{state['event']}"
            self._append(Observation(time.time(), "Log", pod, uid, state["time"], "added", state))

    def _keep_restart(self, kind: str, reason: str) -> None:
        with self._lock:
            if len(self._restarts) < self._most:
                self._restarts.append(Restart(time.time(), kind, reason))

    def _mark_listed(self, kind: str) -> None:
        self._unlisted.discard(kind)
        if not self._unlisted:
            self._listed.set()
