"""A pod on this machine: a process that is started, probed, restarted and ended as a kubelet does it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from drydock.local.process import ServiceProcess
from drydock.local.recorder import LocalRecorder, stamp
from drydock.local.template import Probe, Template
from drydock.system.ports import LOOPBACK
from drydock.timeline import lifecycle

# The kubelet's, doubled each time up to five minutes (kubernetes.io, "Pod Lifecycle", container restarts); the first
# restart comes at once.
FIRST_PAUSE_SECONDS = 10.0

type Start = Callable[[Sequence[str], Mapping[str, str], Callable[[str], object]], Awaitable[ServiceProcess]]


class LocalPod:
    """One pod; `start` starts its process, `on_change` is called when it becomes ready or unready, or is deleted."""

    def __init__(
        self,
        name: str,
        revision: int,
        template: Template,
        port: int,
        start: Start,
        recorder: LocalRecorder,
        on_change: Callable[[], None],
    ) -> None:
        self.name, self.revision, self.template, self.port = name, revision, template, port
        self.ready = False
        self.deleted = False
        self.gone = False
        self.restarts = 0
        self._start = start
        self._recorder = recorder
        self._on_change = on_change
        self._created = stamp()
        self._deletion: str | None = None
        self._started: str | None = None
        self._sigterm: str | None = None
        self._ready_since: str | None = None
        self._ended: dict[str, Any] | None = None
        self._last_ended: dict[str, Any] | None = None
        self._process: ServiceProcess | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._task = asyncio.create_task(self._run())
        self._notify("added")

    @property
    def serving(self) -> bool:
        """Whether a Service sends it new connections."""
        return self.ready and not self.deleted

    def delete(self) -> None:
        """Runs preStop, sends SIGTERM, and sends SIGKILL when the grace period is over."""
        if not self.deleted:
            self.deleted = True
            self._deletion = stamp(time.time() + self.template.budget.grace)
            self._notify()
            self._on_change()
            self._stop()

    def kill(self) -> None:
        """SIGKILL to its process."""
        if self._process is not None:
            self._process.kill()

    async def close(self) -> None:
        """Ends it at once, with all that it started."""
        self._task.cancel()
        self.kill()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._process is not None:
            await self._process.wait()

    async def _run(self) -> None:
        pause = 0.0
        while not self.deleted:
            await self._live()
            if self.deleted:
                break
            self._last_ended, self._ended = self._ended, None
            self.restarts += 1
            await asyncio.sleep(pause)
            pause = min(300.0, 2 * pause or FIRST_PAUSE_SECONDS)
        self.gone = True
        self._notify("removed")
        self._on_change()

    async def _live(self) -> None:
        """One life of its process."""
        variables = {**self.template.variables, **self.template.identity(self.name)}
        process = self._process = await self._start(self.template.command(self.port), variables, self._read)
        self._started, self._sigterm, self._stopping = stamp(), None, None
        self._notify()
        probing = asyncio.create_task(self._probe())
        if self.deleted:
            self._stop()
        try:
            code = await process.wait()
        finally:
            await _cancel(probing, self._stopping)
        reason = "Completed" if code == 0 else "Error"
        self._ended = {"exit_code": code if code >= 0 else 128 - code, "reason": reason, "finished": stamp()}
        self._started = None
        self._set_ready(False)
        self._notify()

    def _read(self, line: str) -> None:
        known = self.template.project.configuration.workload.lifecycle
        if (state := lifecycle.event(line, known)) is not None:
            self._recorder.line(self.name, state)

    async def _probe(self) -> None:
        """Startup first; then liveness and readiness side by side."""
        startup = self.template.probe("startupProbe")
        if startup is not None and not await self._succeeds(startup, "startup"):
            return
        readiness, liveness = self.template.probe("readinessProbe"), self.template.probe("livenessProbe")
        if readiness is None:
            self._set_ready(True)
        async with asyncio.TaskGroup() as group:
            if readiness is not None:
                group.create_task(self._watch_readiness(readiness))
            if liveness is not None:
                group.create_task(self._watch_liveness(liveness))

    async def _succeeds(self, probe: Probe, kind: str) -> bool:
        """Waits for a first success; restarts the process where it does not come in time."""
        await asyncio.sleep(probe.delay)
        for _ in range(probe.threshold):
            if await self._asks(probe):
                return True
            await asyncio.sleep(probe.period)
        self._fail(kind)
        return False

    async def _watch_readiness(self, probe: Probe) -> None:
        failures = 0
        await asyncio.sleep(probe.delay)
        while True:
            good = await self._asks(probe)
            failures = 0 if good else failures + 1
            if good or failures >= probe.threshold:
                self._set_ready(good)
            await asyncio.sleep(probe.period)

    async def _watch_liveness(self, probe: Probe) -> None:
        failures = 0
        await asyncio.sleep(probe.delay)
        while failures < probe.threshold:
            failures = 0 if await self._asks(probe) else failures + 1
            if failures < probe.threshold:
                await asyncio.sleep(probe.period)
        self._fail("liveness")

    def _fail(self, kind: str) -> None:
        note = f"Container {self.template.container['name']} failed {kind} probe, will be restarted"
        self._recorder.event(self.name, "Killing", note)
        self._stop()

    async def _asks(self, probe: Probe) -> bool:
        """Sends one probe. True for a success status within the timeout."""
        try:
            async with asyncio.timeout(probe.timeout):
                return 200 <= await request(self.port, "GET", probe.path) < 400
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            return False

    def _stop(self) -> None:
        """Begins to end the process, once."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._end_in_order())

    async def _end_in_order(self) -> None:
        if self._process is not None:
            budget = self.template.budget
            await self._process.stop(budget.grace, budget.prestop, self._sent_sigterm)

    def _sent_sigterm(self) -> None:
        self._sigterm = stamp()
        self._notify()

    def _set_ready(self, ready: bool) -> None:
        if ready != self.ready:
            self.ready, self._ready_since = ready, stamp() if ready else None
            self._notify()
            self._on_change()

    def _notify(self, change: Any = "changed") -> None:
        deployment = self.template.project.configuration.workload.deployment
        state = {
            "owner": f"{deployment}-{self.revision}",
            "created": self._created,
            "phase": "Running" if self._started else "Pending",
            "node": "local",
            "scheduled": self._created,
            "started": self._started,
            "ready": self._ready_since,
            "deletion": self._deletion,
            "grace": self.template.budget.grace if self._deletion else None,
            "prestop": self.template.budget.prestop,
            "sigterm": self._sigterm,
            "ended": self._ended,
            "last_ended": self._last_ended,
            "restarts": self.restarts,
        }
        self._recorder.notify("Pod", self.name, f"uid-{self.name}", state, change)


async def _cancel(*tasks: asyncio.Task[None] | None) -> None:
    """Ends them, and waits for that."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def request(port: int, method: str, path: str, body: bytes = b"") -> int:
    """Sends one request to a port of this machine; returns its status.

    Raises:
        OSError, ValueError, IncompleteReadError: it is not answered.
    """
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {LOOPBACK}", "Connection: close", f"Content-Length: {len(body)}"]
        head = "\r\n".join([*lines, "Content-Type: application/json"])
        writer.write(f"{head}\r\n\r\n".encode() + body)
        status = (await reader.readuntil(b"\r\n")).split()
        return int(status[1])
    except IndexError as error:
        raise ValueError("no HTTP") from error
    finally:
        writer.close()
