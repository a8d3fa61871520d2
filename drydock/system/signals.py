"""SIGINT (Ctrl-C), SIGTERM and SIGHUP (a closed terminal): when they end a block, and when they wait until it is over.

Python calls handlers in the main thread only. In another thread these blocks change nothing.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

type Handler = Callable[[int, FrameType | None], object] | signal.Handlers


@contextmanager
def interrupt_on(*numbers: signal.Signals) -> Iterator[None]:
    """Each of the signals (default: all three) ends the block with KeyboardInterrupt.

    A shell without job control starts `command &` with SIGINT ignored. Python then installs no handler for it, every
    SIGINT is lost, and so it is in each program that Python starts. In this block SIGINT has a handler, and a program
    that is started in it gets the default again (execve(2)).
    """
    with _handled(signal.default_int_handler, numbers or ENDING):
        yield


@contextmanager
def ignored() -> Iterator[None]:
    """Ignores these signals in the block. Only for blocks with a time limit that start no program."""
    with _handled(signal.SIG_IGN, ENDING):
        yield


@contextmanager
def deferred(on_signal: Callable[[], object] = lambda: None) -> Iterator[None]:
    """The signals call `on_signal` in the block, and raise KeyboardInterrupt when the block has ended.

    An error of the block is raised instead of it.
    """
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        on_signal()

    with _handled(note, ENDING):
        yield
    if received:
        raise KeyboardInterrupt


@contextmanager
def _handled(handler: Handler, numbers: tuple[signal.Signals, ...]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # `nohup` starts a program with SIGHUP ignored, so that it outlives its terminal.
    chosen = [it for it in numbers if it != signal.SIGHUP or signal.getsignal(it) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in chosen}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
