"""What counts as lost while a drill runs."""

from drydock.judge_client.progress_sample import ProgressSample
from drydock.requests.outcome import Outcome

LINE = {"time": 1.0, "sent": 100, "rate": 20, "late": 0, "p95_ms": 4.0, "in_flight": 2}


def sample(raced: int, **outcomes: int) -> ProgressSample:
    return ProgressSample.parse({**LINE, "outcomes": {**dict.fromkeys(Outcome, 0), **outcomes}, "raced": raced})


def test_a_request_that_met_the_keep_alive_timeout_is_not_lost_in_a_steady_state() -> None:
    assert sample(2, ok=98, reset=1, closed_early=1).lost == 0


def test_every_other_loss_is() -> None:
    assert sample(2, ok=97, reset=2, closed_early=1).lost == 1
    assert sample(0, ok=99, reset=1).lost == 1
