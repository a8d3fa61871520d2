"""What a drill changed is put back, whatever happens."""

import os
import signal
from collections.abc import Callable

import pytest

from drydock.core.errors import FailedError
from drydock.drills.changes import Changes
from drydock.system import signals


class World:
    """What was done, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def does(self, what: str) -> Callable[[], None]:
        return lambda: self.done.append(what)


@pytest.fixture
def world() -> World:
    return World()


def test_changes_are_put_back_in_reverse_order_and_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with Changes() as changes:
        changes.apply("faults on", world.does("on"), world.does("off"))
        changes.apply("CPU alone", world.does("one trigger"), world.does("two triggers"))

    assert world.done == ["on", "one trigger", "two triggers", "off"]
    assert "roll back: faults on" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [KeyboardInterrupt, FailedError("lost"), RuntimeError("a defect")])
def test_they_are_put_back_after_every_ending(world: World, ending: BaseException) -> None:
    def drill() -> None:
        with Changes() as changes:
            changes.apply("faults on", world.does("on"), world.does("off"))
            raise ending

    with pytest.raises((KeyboardInterrupt, FailedError, RuntimeError)):
        drill()

    assert world.done == ["on", "off"]


def test_half_a_change_is_put_back(world: World) -> None:
    def breaks() -> None:
        raise FailedError("the rollout did not come to its end")

    with pytest.raises(FailedError, match="rollout"), Changes() as changes:
        changes.apply("faults on", breaks, world.does("off"))

    assert world.done == ["off"]


def test_what_cannot_be_put_back_is_named_and_keeps_nothing_else_from_it(world: World) -> None:
    def breaks() -> None:
        raise FailedError("no answer")

    def drill() -> None:
        with Changes() as changes:
            changes.apply("faults on", world.does("on"), world.does("off"))
            changes.apply("CPU alone", world.does("one trigger"), breaks)

    with pytest.raises(FailedError, match=r"not rolled back: CPU alone \(no answer\)"):
        drill()

    assert world.done == ["on", "one trigger", "off"]


def test_a_second_interrupt_waits_until_all_is_put_back(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def impatient() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        world.done.append("off")

    with pytest.raises(KeyboardInterrupt), Changes() as changes:
        changes.apply("faults on", world.does("on"), impatient)

    assert world.done == ["on", "off"]
    assert "it ends after that" in capsys.readouterr().err


def test_sigterm_ends_a_drill_as_an_interrupt_does(world: World) -> None:
    def drill() -> None:
        with signals.interrupt_on(), Changes() as changes:
            changes.apply("faults on", world.does("on"), world.does("off"))
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        drill()

    assert world.done == ["on", "off"]


def test_kept_changes_stay_and_the_way_back_is_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with Changes(keep=True) as changes:
        changes.apply("faults on", world.does("on"), world.does("off"))

    assert world.done == ["on"]
    assert "Kept: faults on. `drydock up --mode parity` restores it." in capsys.readouterr().err
