"""Progress output: a step shows its title at once, its elapsed time while it runs, and one line when it ends."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

# A log must not wrap lines at the 80 columns that rich assumes without a terminal.
LOG_WIDTH = 200


def output_console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr, `LOG_WIDTH` columns wide where that is no terminal."""
    terminal = Console(stderr=stderr, highlight=False)
    return terminal if terminal.is_terminal else Console(stderr=stderr, highlight=False, width=LOG_WIDTH)


console = output_console(stderr=True)

# Without a terminal, a running step prints a progress line after the first delay and then at the interval.
FIRST_LINE_SECONDS = 2.0
LINE_INTERVAL_SECONDS = 10.0


class Step:
    """A running step. `detail` is its current activity, and at its end its result."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        """The elapsed time."""
        return time.monotonic() - self.began

    def __str__(self) -> str:
        return f"{self.title}: {self.detail}" if self.detail else self.title


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Shows a running step with its elapsed time, and prints `done` or `failed` when the block ends."""
    current = Step(title)
    result, style = "failed", "red"
    try:
        with _live(current) if console.is_terminal else _progress_lines(current):
            yield current
        result, style = "done", "green"
    finally:
        with _despite_a_closed_terminal():
            console.print(f"[{style}]{result:>6}[/]  {escape(str(current))}  [dim]{current.seconds:.1f} s[/]")


def message(text: str) -> None:
    """Prints a line for the user between the steps."""
    with _despite_a_closed_terminal():
        console.print(text, soft_wrap=True, markup=False)


@contextmanager
def _despite_a_closed_terminal() -> Iterator[None]:
    """Ignores that nobody reads the output any more, so that the work ends in order."""
    try:
        yield
    except OSError:
        console.quiet = True


@contextmanager
def _live(current: Step) -> Iterator[None]:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(escape(str(current)), total=None)
        with _every(0.2, 0.2, lambda: bar.update(task, description=escape(str(current)))):
            yield


@contextmanager
def _progress_lines(current: Step) -> Iterator[None]:
    def print_line() -> None:
        with _despite_a_closed_terminal():
            console.print(f"   ...  {current}  {current.seconds:.0f} s", markup=False)

    with _every(FIRST_LINE_SECONDS, LINE_INTERVAL_SECONDS, print_line):
        yield


@contextmanager
def _every(first: float, interval: float, action: Callable[[], None]) -> Iterator[None]:
    """Calls `action` from a thread after `first` seconds and then every `interval` seconds, until the block ends."""
    over = threading.Event()

    def loop() -> None:
        wait = first
        while not over.wait(wait):
            action()
            wait = interval

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
