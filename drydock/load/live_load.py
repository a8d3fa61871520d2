"""A load run in the background. A drill reads its samples, one a second, and decides what to do next."""

import contextlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from drydock.core.console import Step, message, step
from drydock.core.errors import CannotRunError, FailedError

# The load generator sends a sample each second. A node that is short of CPU may delay it.
SILENCE_SECONDS = 60.0
END_SECONDS = 60.0


class LoadSource[T](Protocol):
    """A locust run (drydock/load/locust_run.py) or a judge (drydock/judge_client); `T` is the type of its samples."""

    def start(self, progress: Step) -> None:
        """Starts the load. Raises CannotRunError if it does not start."""

    def remove(self) -> None:
        """Removes everything that the run has created."""

    def follow(self, on_sample: Callable[[T], None]) -> None:
        """Calls `on_sample` each second until the load ends."""

    def stop(self) -> None:
        """Ends the load gracefully."""

    def collect(self, folder: Path) -> None:
        """Copies the results into `folder`."""


def start[T](run: LoadSource[T], title: str) -> None:
    """Starts a run. After Ctrl-C it is removed, so that it does not block the next run."""
    try:
        with step(title) as progress:
            run.start(progress)
    except KeyboardInterrupt:
        run.remove()
        raise


def follow[T](run: LoadSource[T], on_sample: Callable[[T], None]) -> bool:
    """Calls `on_sample` each second until the load ends. Returns whether Ctrl-C ended it early."""
    try:
        run.follow(on_sample)
    except KeyboardInterrupt:
        message("Ending: waiting for the requests in flight.")
        run.stop()
        run.follow(on_sample)
        return True
    return False


class LiveLoad[T]:
    """A started run. At the end of the block it has ended, and its records are in `folder`."""

    def __init__(self, run: LoadSource[T], folder: Path) -> None:
        self._run = run
        self._folder = folder
        self._samples: queue.SimpleQueue[T | Exception | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._follow, name="load", daemon=True)
        self._over = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def until(self, reached: Callable[[T], bool]) -> bool:
        """Reads samples until `reached` is true of one; False if the run ended before.

        Raises:
            CannotRunError: the load generator failed, or sends no more samples.
        """
        while not self._over:
            sample = self._next()
            if sample is None:
                self._over = True
            elif reached(sample):
                return True
        return False

    def stop(self) -> None:
        """Ends the run if it still runs. Requests in flight get their response and their record."""
        if not self._over:
            self._run.stop()
            self.until(lambda _: False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.until(lambda _: False)
            self._run.collect(self._folder)
            return
        # The block failed. Its records may show the cause, and its own error must not be hidden by another one.
        with contextlib.suppress(FailedError):
            self._run.stop()
            self._thread.join(END_SECONDS)
            self._run.collect(self._folder)

    def _next(self) -> T | None:
        try:
            sample = self._samples.get(timeout=SILENCE_SECONDS)
        except queue.Empty:
            reason = f"the load generator sent no sample for {SILENCE_SECONDS:.0f} s"
            raise CannotRunError(reason, "Run `kubectl describe pods --namespace load`.") from None
        if isinstance(sample, Exception):
            self._over = True
            raise sample
        return sample

    def _follow(self) -> None:
        try:
            self._run.follow(self._samples.put)
            self._samples.put(None)
        except Exception as error:
            self._samples.put(error)
