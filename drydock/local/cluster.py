"""A Deployment and its Service on this machine: pods in the event loop of a runtime, behind a router's process."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from drydock.core.errors import CannotRunError
from drydock.local.deployment import LocalDeployment
from drydock.local.recorder import LocalRecorder
from drydock.local.runtime import LocalRuntime
from drydock.system import signals
from drydock.timeline.routes import Route

DEFAULT_REPLICAS = 2


class LocalCluster:
    """The pods of the Deployment `manifest`, and the router, which listens on `port`."""

    def __init__(self, runtime: LocalRuntime, manifest: Mapping[str, Any], recorder: LocalRecorder) -> None:
        self.runtime = runtime
        self.manifest = manifest
        self.port = 0
        self.deployment: LocalDeployment
        self._recorder = recorder
        self._router: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    @contextmanager
    def started(cls, runtime: LocalRuntime, manifest: Mapping[str, Any], recorder: LocalRecorder) -> Iterator[Self]:
        """Runs while the block lasts."""
        cluster = cls(runtime, manifest, recorder)
        try:
            runtime.wait(cluster._open())
            yield cluster
        finally:
            with signals.deferred():
                runtime.wait(cluster._close())

    def do(self, action: Callable[[], None]) -> None:
        """Runs `action` in the event loop of the pods."""

        async def act() -> None:
            action()

        self.runtime.wait(act())

    async def _open(self) -> None:
        router = self._router = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "drydock.local.router"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        if router.stdin is None or router.stdout is None:
            raise CannotRunError("the router has no pipes")
        self.port = int(await router.stdout.readline())
        self._reading = asyncio.create_task(self._read_routes(router.stdout))
        self.deployment = LocalDeployment(self.runtime, self.manifest, self._recorder, router.stdin)
        self.deployment.scale(int(self.manifest["spec"].get("replicas", DEFAULT_REPLICAS)))

    async def _read_routes(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            self._recorder.route(Route(*json.loads(line)))

    async def _close(self) -> None:
        if hasattr(self, "deployment"):
            await self.deployment.close()
        if self._router is not None:
            with contextlib.suppress(ProcessLookupError):
                self._router.kill()
            await self._router.wait()
        if self._reading is not None:
            await self._reading
