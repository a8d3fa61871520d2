"""What the user sees of a step: its name at once, its seconds while it lasts, one line when it is over."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

# Lines in a log are not folded as on a terminal.
LOG_WIDTH = 200


def output_console(*, stderr: bool = False) -> Console:
    """Where the user reads, terminal or not."""
    opened = Console(stderr=stderr, highlight=False)
    return opened if opened.is_terminal else Console(stderr=stderr, highlight=False, width=LOG_WIDTH)


console = output_console(stderr=True)

# Without a terminal a step says that it still runs after this many seconds, and then at this interval.
FIRST_SIGN_SECONDS = 2.0
SIGN_SECONDS = 10.0


class Step:
    """A running step; `detail` is what it is busy with now, then what came of it."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.began

    def __str__(self) -> str:
        return f"{self.title}: {self.detail}" if self.detail else self.title


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Shows that `title` is being done, and for how long; says `done` or `failed` at its end."""
    current = Step(title)
    word, style = "failed", "red"
    try:
        with _live(current) if console.is_terminal else _signs_of_life(current):
            yield current
        word, style = "done", "green"
    finally:
        console.print(f"[{style}]{word:>6}[/]  {escape(str(current))}  [dim]{current.seconds:.1f} s[/]")


def message(text: str) -> None:
    """One line for the user, beside the steps."""
    console.print(text, soft_wrap=True, markup=False)


@contextmanager
def _live(current: Step) -> Iterator[None]:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(escape(str(current)), total=None)
        with _every(0.2, 0.2, lambda: bar.update(task, description=escape(str(current)))):
            yield


@contextmanager
def _signs_of_life(current: Step) -> Iterator[None]:
    def sign() -> None:
        console.print(f"   ...  {current}  {current.seconds:.0f} s", markup=False)

    with _every(FIRST_SIGN_SECONDS, SIGN_SECONDS, sign):
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
