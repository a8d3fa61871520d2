"""The base class of load shapes: the number of users over time, and the end of a run.

Locust gives its workers only half a second for their last report. A shape therefore ends with zero users: they finish
their requests and their records arrive before the run ends. SIGUSR1 ends a run early in the same way.
"""

import signal

import gevent
from locust import LoadTestShape, User
from locust.runners import MasterRunner

from loadtest.reporting import idle

type Tick = tuple[int, float, list[type[User]] | None] | None

# Users per second. High, because locust delays the next change until the last one is complete; `users_at` is the slope.
AT_ONCE = 100.0


class Shape(LoadTestShape):
    """A load shape. Subclasses implement `users_at`."""

    abstract = True
    users: list[type[User]]
    ended_by_hand = False
    _ending = False

    def __init__(self, *users: type[User]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.users = list(users)
        gevent.signal_handler(signal.SIGUSR1, self.end)

    def users_at(self, seconds: float) -> int | None:
        """The number of users `seconds` after the start. None ends the run."""
        raise NotImplementedError

    def end(self) -> None:
        self.ended_by_hand = True

    def reset_time(self) -> None:
        super().reset_time()  # type: ignore[no-untyped-call]
        self.ended_by_hand = False

    def tick(self) -> Tick:
        wanted = None if self.ended_by_hand else self.users_at(self.get_run_time())  # type: ignore[no-untyped-call]
        if wanted is not None:
            self._ending = False
            return wanted, AT_ONCE, self._picked()
        if not self._ending:
            self._ending = True
            idle.clear()
        return (0, AT_ONCE, self._picked()) if self._under_way() else None

    def _picked(self) -> list[type[User]] | None:
        """The users of the mix that are selected on the web page. None, which means all of the page's, if none are."""
        picked = self.runner.user_classes if self.runner else self.users
        return [kind for kind in self.users if kind in picked] or None

    def _under_way(self) -> bool:
        """Whether there are still users, or records that have not arrived."""
        runner = self.runner
        if isinstance(runner, MasterRunner):
            clients = runner.clients
            return any(worker.id not in idle for worker in (*clients.ready, *clients.spawning, *clients.running))
        return runner is not None and runner.user_count > 0
