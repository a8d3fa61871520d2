"""The rendering processes: started in advance, replaced when one dies or hangs, ended with their parent."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing.process import parent_process

from app.receipts.rendering import render
from app.receipts.sale import Sale, SoldLine

SPECIMEN = Sale(0, datetime(2000, 1, 1, tzinfo=UTC), (SoldLine("Specimen", 1, 0),))


class RenderingError(Exception):
    """A rendering failed: it raised, timed out, or its process died."""


class Renderer:
    """A pool of `processes` rendering processes, with a timeout of `seconds` per document."""

    def __init__(self, processes: int, seconds: float) -> None:
        self.processes = processes
        self._seconds = seconds
        self._pool = self._new_pool()
        self._warm = False

    async def start(self) -> None:
        """Start every process and render once in each, so that the first receipt does not wait for imports (0.6 s)."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._pool, render, SPECIMEN) for _ in range(self.processes)))
        self._warm = True

    async def check(self) -> str | None:
        """The readiness check: fails until every process has rendered once."""
        return None if self._warm else "starting"

    async def render(self, sale: Sale) -> bytes:
        """The receipt as PDF. Raises RenderingError."""
        pool = self._pool
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(pool, render, sale)
        except TimeoutError:
            self._replace(pool)
            raise RenderingError(f"took longer than {self._seconds:g} s") from None
        except BrokenExecutor:
            self._replace(pool)
            raise RenderingError("its process died") from None
        except Exception as error:
            raise RenderingError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Kill the processes."""
        _kill(self._pool)

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        """Replace a pool that lost a process: it accepts no more work. Its other renderings fail too."""
        if self._pool is broken:
            _kill(broken)
            self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        # A forked child would inherit the event loop, the sockets, and locks held by other threads.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.processes, mp_context=context, initializer=_begin)


def _kill(pool: ProcessPoolExecutor) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
    for child in multiprocessing.active_children():  # this process has no others
        child.kill()


def _begin() -> None:
    """Initialise a rendering process: ignore the signals its parent handles, and exit when its parent does."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Exit when the parent does. The executor's processes hold each other's pipes open, so no pipe closes."""
    with contextlib.suppress(OSError):
        if (parent := parent_process()) is not None:
            parent.join()
    os._exit(1)
