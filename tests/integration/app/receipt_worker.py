"""The receipts' worker as a real process, and those that it renders in."""

import contextlib
import os
import signal
import sys
from pathlib import Path

from tests.integration.app.service import Service

# Short, so that a test need not wait for what production waits for.
QUICK = {"RECEIPT_POLL_SECONDS": "0.1", "RECEIPT_STALE_SECONDS": "2", "RECEIPT_RETRY_SECONDS": "0.1"}


class ReceiptWorker(Service):
    """One worker. `module` is what is run: the image's own, or a negative control."""

    module = "app.receipts"

    def __init__(self, dsn: str, **environment: str) -> None:
        super().__init__({"DATABASE_URL": dsn, "DATABASE_POOL_SIZE": "2", **QUICK, **environment})

    def command(self, mode: str) -> list[str]:
        return [sys.executable, "-m", self.module, "--host", "127.0.0.1", "--port", str(self.port)]

    def started(self) -> int:
        return len(self.events("startup"))

    def metric(self, name: str) -> float:
        """The value of a metric without labels; 0 while nothing answers."""
        response = self.get("/metrics")
        lines = response.text.splitlines() if response else []
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)

    def clear_away(self) -> None:
        """End it, and the processes that render: one that a test has stopped would never notice its parent's end."""
        if self.running:
            rendering = self.rendering_processes()
            self.kill()
            for process in rendering:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def rendering_processes(self) -> list[int]:
        """The ids of the processes that render: spawned, and not multiprocessing's tracker of resources."""
        found = []
        for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            with contextlib.suppress(FileNotFoundError):  # it has ended meanwhile
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
        return found
