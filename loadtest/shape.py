"""What all shapes have in common: how many users there are when, and how a run comes to its end.

Locust's own end gives the workers half a second for their last report, whatever is still under way. So a shape ends
with no users: those there are finish their requests, their records arrive, and only then is the run over. SIGUSR1 ends
it in the same way before its time.
"""

import signal

import gevent
from locust import LoadTestShape, User
from locust.runners import MasterRunner

from loadtest.reporting import idle

type Tick = tuple[int, float, list[type[User]] | None] | None

# Users a second. Locust waits with the next step until a slower one is over; a shape's own slope is in `users_at`.
AT_ONCE = 100.0


class Shape(LoadTestShape):
    """A shape says in `users_at` how many users there are after some seconds; None when it is over."""

    abstract = True
    users: list[type[User]]
    ended_by_hand = False
    _ending = False

    def __init__(self, *users: type[User]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.users = list(users)
        gevent.signal_handler(signal.SIGUSR1, self.end)

    def users_at(self, seconds: float) -> int | None:
        """How many users there are `seconds` after the start; None when it is over."""
        raise NotImplementedError

    def end(self) -> None:
        """Ends it now."""
        self.ended_by_hand = True

    def reset_time(self) -> None:
        """Another run from the page begins anew."""
        super().reset_time()  # type: ignore[no-untyped-call]
        self.ended_by_hand = False

    def tick(self) -> Tick:
        """What locust asks each second."""
        wanted = None if self.ended_by_hand else self.users_at(self.get_run_time())  # type: ignore[no-untyped-call]
        if wanted is not None:
            self._ending = False
            return wanted, AT_ONCE, self._picked()
        if not self._ending:
            self._ending = True
            idle.clear()
        return (0, AT_ONCE, self._picked()) if self._under_way() else None

    def _picked(self) -> list[type[User]] | None:
        """The users of the mix, but for those that were left out on the page; None, for all that were picked there."""
        picked = self.runner.user_classes if self.runner else self.users
        return [kind for kind in self.users if kind in picked] or None

    def _under_way(self) -> bool:
        """Whether there are users, or records of theirs that have not arrived."""
        runner = self.runner
        if isinstance(runner, MasterRunner):
            clients = runner.clients
            return any(worker.id not in idle for worker in (*clients.ready, *clients.spawning, *clients.running))
        return runner is not None and runner.user_count > 0
