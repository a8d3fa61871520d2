"""A load run that goes on while the drill reads its ticks, one a second, and decides what comes next."""

import contextlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from drydock.core.console import Step, step
from drydock.core.errors import CannotRunError, FailedError

# The master says something each second; a node that is short of CPU may keep it from that for a while.
SILENCE_SECONDS = 60.0
END_SECONDS = 60.0


class LoadSource[T](Protocol):
    """What is needed of a load run (drydock/load/locust_run.py) or of the judge (drydock/judging): `T` is its tick."""

    def start(self, progress: Step) -> None:
        """Starts it. Raises CannotRunError where it does not start."""

    def remove(self) -> None:
        """Takes away what is left of it."""

    def follow(self, on_sample: Callable[[T], None]) -> None:
        """Calls `on_tick` each second until its end."""

    def stop(self) -> None:
        """Ends it gracefully."""

    def collect(self, folder: Path) -> None:
        """Fetches what it left."""


def start[T](run: LoadSource[T], title: str) -> None:
    """Starts it; interrupted, nothing of it stays in the way of the next run."""
    try:
        with step(title) as progress:
            run.start(progress)
    except KeyboardInterrupt:
        run.remove()
        raise


class LiveLoad[T]:
    """A run that was started; at the end of the block it is over, and its records are in `folder`."""

    def __init__(self, run: LoadSource[T], folder: Path) -> None:
        self._run = run
        self._folder = folder
        self._ticks: queue.SimpleQueue[T | Exception | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._follow, name="load", daemon=True)
        self._over = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def until(self, reached: Callable[[T], bool]) -> bool:
        """Reads ticks until one is `reached`; False where the run came to its end before that.

        Raises:
            CannotRunError: the load generator failed, or says nothing any more.
        """
        while not self._over:
            sample = self._next()
            if sample is None:
                self._over = True
            elif reached(sample):
                return True
        return False

    def stop(self) -> None:
        """Ends the run where it still goes on; what is under way is answered first, and accounted for."""
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
        # Something else went wrong: the records may tell what, and that error is the one to be seen.
        with contextlib.suppress(FailedError):
            self._run.stop()
            self._thread.join(END_SECONDS)
            self._run.collect(self._folder)

    def _next(self) -> T | None:
        try:
            said = self._ticks.get(timeout=SILENCE_SECONDS)
        except queue.Empty:
            reason = f"the load generator said nothing for {SILENCE_SECONDS:.0f} s"
            raise CannotRunError(reason, "kubectl describe pods --namespace load") from None
        if isinstance(said, Exception):
            self._over = True
            raise said
        return said

    def _follow(self) -> None:
        try:
            self._run.follow(self._ticks.put)
            self._ticks.put(None)
        except Exception as error:
            self._ticks.put(error)
