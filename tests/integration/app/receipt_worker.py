"""The receipt worker as a real process, with its rendering processes."""

import contextlib
import os
import signal
import sys

import psutil

from tests.integration.app.service import Service

# Shorter than in production, to keep the tests fast.
QUICK = {"RECEIPT_POLL_SECONDS": "0.1", "RECEIPT_STALE_SECONDS": "2", "RECEIPT_RETRY_SECONDS": "0.1"}


class ReceiptWorker(Service):
    """One worker. `module` is the module to run: the image's own or a negative control."""

    module = "app.receipts"

    def __init__(self, dsn: str, **environment: str) -> None:
        super().__init__({"DATABASE_URL": dsn, "DATABASE_POOL_SIZE": "2", **QUICK, **environment})

    def command(self, mode: str) -> list[str]:
        return [sys.executable, "-m", self.module, "--host", "127.0.0.1", "--port", str(self.port)]

    def started(self) -> int:
        return len(self.events("startup"))

    def metric(self, name: str) -> float:
        """The value of a metric without labels. 0 while the worker does not answer."""
        response = self.get("/metrics")
        lines = response.text.splitlines() if response else []
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)

    def clear_away(self) -> None:
        """Kill the worker and its rendering processes: a process under SIGSTOP would not exit with its parent."""
        if self.running:
            rendering = self.rendering_processes()
            self.kill()
            for process in rendering:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def rendering_processes(self) -> list[int]:
        """The IDs of the rendering processes, without multiprocessing's resource tracker."""
        found = []
        for child in psutil.Process(self.pid).children():
            with contextlib.suppress(psutil.Error):  # the process has just ended
                if any("spawn_main" in word for word in child.cmdline()):
                    found.append(child.pid)
        return found
