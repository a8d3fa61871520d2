"""A drill reads its load run sample by sample. The run is ended and collected, also after an error of the drill."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from drydock.core.console import Step
from drydock.core.errors import CannotRunError
from drydock.load.live_load import LiveLoad
from drydock.load.locust_run import LoadSample


def sample(users: int) -> LoadSample:
    return LoadSample(0, False, users, 0, 0, 0, 0, {}, {})


class ScriptedRun:
    """A run with known samples. With `endless`, it runs until it is stopped."""

    def __init__(self, users: list[int], *, endless: bool = False, error: Exception | None = None) -> None:
        self.users, self.endless, self.error = users, endless, error
        self.stopped = threading.Event()
        self.collected = False

    def start(self, _progress: Step) -> None:
        raise AssertionError("it has been started already")

    def remove(self) -> None:
        self.stop()

    def follow(self, on_sample: Callable[[LoadSample], None]) -> None:
        for count in self.users:
            on_sample(sample(count))
        if self.error:
            raise self.error
        if self.endless:
            assert self.stopped.wait(10), "the run was not stopped"
            on_sample(sample(0))

    def stop(self) -> None:
        self.stopped.set()

    def collect(self, _folder: Path) -> None:
        self.collected = True


def test_samples_are_read_until_the_condition_is_true(tmp_path: Path) -> None:
    run = ScriptedRun([6, 6, 48, 6])
    with LiveLoad(run, tmp_path) as live:
        assert live.until(lambda it: it.users > 6)
        assert live.until(lambda it: it.users <= 6)
        assert not live.until(lambda it: it.users > 6), "the run has ended"

    assert run.collected


def test_a_run_that_is_stopped_early_is_collected(tmp_path: Path) -> None:
    run = ScriptedRun([6], endless=True)
    with LiveLoad(run, tmp_path) as live:
        live.until(lambda it: it.users == 6)
        live.stop()

    assert run.stopped.is_set()
    assert run.collected


def test_an_interrupted_drill_stops_its_run_and_collects_it(tmp_path: Path) -> None:
    run = ScriptedRun([6], endless=True)
    with pytest.raises(KeyboardInterrupt), LiveLoad(run, tmp_path):
        raise KeyboardInterrupt

    assert run.stopped.is_set()
    assert run.collected


def test_a_failed_load_generator_ends_the_drill_with_its_reason(tmp_path: Path) -> None:
    run = ScriptedRun([6], error=CannotRunError("the load generator exited with code 3"))
    with pytest.raises(CannotRunError, match="code 3"), LiveLoad(run, tmp_path) as live:
        live.until(lambda _: False)
