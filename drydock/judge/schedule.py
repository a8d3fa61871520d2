"""Which request is sent when, and on which lane: by its number alone, so that every run is the same."""

import random

from drydock.judge.answers import Answers
from drydock.judge.exchange import Lane
from drydock.judge.plan import Plan, Request


class Schedule:
    """The requests of a plan in their order. `answers` holds the identifiers that some of them need."""

    def __init__(self, plan: Plan, answers: Answers) -> None:
        self.mix = _mix([request for request in plan.requests if request.per_second is None])
        self._independent = [request for request in self.mix if not request.after]
        self._answers = answers
        self.long = next((it for it in plan.requests if it.body and not it.after), None) if plan.long_rate else None
        self._long_every = int(plan.rate / plan.long_rate) if self.long else 0
        self._rare = [
            (_every(plan.rate, request.per_second, len(self.mix)), request)
            for request in plan.requests
            if request.per_second is not None
        ]

    def pick(self, number: int) -> tuple[Request, Lane]:
        """The request of this number."""
        if self.long is not None and self._long_every and number % self._long_every == self._long_every - 1:
            return self.long, Lane.LONG
        for place, (every, request) in enumerate(self._rare):
            if (number + place) % every == every // 2 and self._can_be_sent(request):
                return request, _lane(number // every)
        # Each kind of request takes the lanes in turn.
        lane = _lane(number // len(self.mix))
        request = self.mix[number % len(self.mix)]
        if not self._can_be_sent(request):
            request = self._independent[number % len(self._independent)]
        return request, lane

    def _can_be_sent(self, request: Request) -> bool:
        return not request.after or self._answers.identifier(request) is not None


def _mix(requests: list[Request]) -> list[Request]:
    """The kinds of requests by their weights, in an order that is mixed and always the same."""
    mixed = [request for request in requests for _ in range(request.weight)]
    random.Random(0).shuffle(mixed)  # noqa: S311 - an order, not a secret
    return mixed


def _every(rate: float, per_second: float, mix: int) -> int:
    """One in so many is this request; a slow run sends it once in a round of the mix, and no more often."""
    return max(mix, int(rate / per_second))


def _lane(turn: int) -> Lane:
    return Lane.KEPT if turn % 2 else Lane.FRESH
