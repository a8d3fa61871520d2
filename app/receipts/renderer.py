"""The processes that render: warm before they are needed, replaced when one dies or hangs, gone with their parent."""

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
    """A rendering did not give a document: it raised, took too long, or its process died."""


class Renderer:
    """Renders in `processes` processes of its own, each document within `seconds`."""

    def __init__(self, processes: int, seconds: float) -> None:
        self.processes = processes
        self._seconds = seconds
        self._pool = self._new_pool()
        self._warm = False

    async def start(self) -> None:
        """Start every process and render once in each, so that the first receipt waits for no import (0.6 s)."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._pool, render, SPECIMEN) for _ in range(self.processes)))
        self._warm = True

    async def check(self) -> str | None:
        """The readiness check: fails until every process is warm."""
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
        """End the processes at once, whatever they do."""
        _kill(self._pool)

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        """A pool that lost a process takes no more work. Renderings beside the one that failed are lost with it."""
        if self._pool is broken:
            _kill(broken)
            self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        # A forked child would inherit the event loop, its sockets and locks held by other threads.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.processes, mp_context=context, initializer=_begin)


def _kill(pool: ProcessPoolExecutor) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
    for child in multiprocessing.active_children():  # this process has no others
        child.kill()


def _begin() -> None:
    """The start of a rendering process: signals are its parent's to act on, and its parent's end is its own."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """The executor's processes hold each other's pipes open, so that none would notice a parent that was killed."""
    with contextlib.suppress(OSError):
        if (parent := parent_process()) is not None:
            parent.join()
    os._exit(1)
