"""Waiting for a condition instead of for a time."""

import time
from collections.abc import Callable


def poll_until[Result](
    check: Callable[[], Result | None], what: str, seconds: float = 60, every: float = 0.2
) -> Result:
    """The first true answer of `check`. Raises AssertionError saying what was waited for, and the last answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}; the last answer was {answer!r}")
        time.sleep(every)
