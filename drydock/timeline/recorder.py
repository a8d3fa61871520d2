"""Records what the cluster says of a namespace, in a thread of its own, until it is told to stop."""

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lightkube import AsyncClient, KubeConfig

from drydock.cluster.kind import CONTEXT, guard
from drydock.core.errors import CannotRunError
from drydock.core.project import Workload
from drydock.timeline import states
from drydock.timeline.history import History, Restart
from drydock.timeline.listening import Listener
from drydock.timeline.observation import Change, Observation
from drydock.timeline.watching import RESOURCES, Watch

FIRST_LIST_SECONDS = 15.0
# About 1 KB each. A scaling drill of four minutes makes some 600.
MOST_OBSERVATIONS = 50_000


class Timeline:
    """Records the namespace while the block lasts. What is kept is bounded: `dropped` counts what came after that.

    With a workload, the lifecycle lines of its pods are recorded too, as observations of the kind Log.

    Raises:
        CannotRunError: the kubeconfig leads elsewhere, or the API server does not answer.
    """

    def __init__(
        self, kubeconfig: Path, namespace: str, *, workload: Workload | None = None, most: int = MOST_OBSERVATIONS
    ) -> None:
        guard(kubeconfig)
        self._configuration = KubeConfig.from_file(kubeconfig).get(CONTEXT)
        self._namespace = namespace
        self._workload = workload
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
        self.dropped = 0

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._listed.wait(FIRST_LIST_SECONDS):
            self._end()
            said = "; ".join(restart.reason for restart in self._restarts[-1:]) or "no answer"
            missing = ", ".join(sorted(self._unlisted))
            raise CannotRunError(f"the API server did not list {missing}: {said}", "Run `drydock status`.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def history(self) -> History:
        """What was recorded by now."""
        with self._lock:
            return History(tuple(self._observations), tuple(self._restarts), self.dropped)

    def complete(self) -> History:
        """What was recorded by now, and what the pods said while they were not listened to. Takes about a second."""
        if self._listener:
            asyncio.run_coroutine_threadsafe(self._listener.catch_up(), self._loop).result()
        return self.history

    def current(self, kind: str) -> Sequence[Observation]:
        """The objects of a kind that are there now, each as it was last seen."""
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
        # The environment's proxies are not for a server on the loopback interface.
        client = AsyncClient(config=self._configuration, namespace=self._namespace, trust_env=False)
        if self._workload and self._workload.lifecycle:
            self._listener = Listener(client, self._workload, time.time(), self._hear)
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
            on_restart=lambda reason: self._note(kind, reason),
            on_listed=lambda: self._is_listed(kind),
        )

    def _keep(self, kind: str, change: Change, item: Any) -> None:
        meta = item["metadata"]
        state = states.OF[kind](item)
        seen = Observation(time.time(), kind, meta["name"], meta["uid"], meta["resourceVersion"], change, state)
        # Events are listed for an hour after they happened.
        old = kind == "Event" and (kind in self._unlisted or change == "removed")
        if self._listener and not old:
            self._listener.see(seen)
        with self._lock:
            before = self._latest.get(seen.uid)
            if change == "removed":
                self._latest.pop(seen.uid, None)
            else:
                self._latest[seen.uid] = seen
            # Most versions of an object differ in nothing that is kept.
            repeated = change == "changed" and before is not None and before.state == state
            if not repeated and not old:
                self._append(seen)

    def _append(self, seen: Observation) -> None:
        if len(self._observations) < self._most:
            self._observations.append(seen)
        else:
            self.dropped += 1

    def _hear(self, pod: str, state: dict[str, Any]) -> None:
        with self._lock:
            uid = f"{pod}/{state['event']}"
            self._append(Observation(time.time(), "Log", pod, uid, state["time"], "added", state))

    def _note(self, kind: str, reason: str) -> None:
        with self._lock:
            if len(self._restarts) < self._most:
                self._restarts.append(Restart(time.time(), kind, reason))

    def _is_listed(self, kind: str) -> None:
        self._unlisted.discard(kind)
        if not self._unlisted:
            self._listed.set()
