"""SIGINT, SIGTERM and SIGHUP: what ends a block, what waits for its end, and what a child inherits."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from drydock.system import signals

pytestmark = pytest.mark.usefixtures("hears_sighup")

ASK = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["foreground", "background job of a script"])
def parent(request: pytest.FixtureRequest) -> Iterator[None]:
    """SIGINT as a terminal leaves it, and as a shell without job control does."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    assert signal.signal(signal.SIGINT, before) is request.param, "the block left its handler behind"


def child_ignores_sigint() -> bool:
    return subprocess.run([sys.executable, "-c", ASK], capture_output=True, check=True).stdout == b"True\n"


@pytest.mark.usefixtures("parent")
@pytest.mark.parametrize("number", signals.ENDING)
def test_each_of_them_interrupts_the_block(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), signals.interrupt_on():
        os.kill(os.getpid(), number)


@pytest.mark.usefixtures("parent")
def test_a_child_of_the_block_can_be_stopped_by_sigint() -> None:
    with signals.interrupt_on():
        assert not child_ignores_sigint()


@pytest.mark.usefixtures("parent")
@pytest.mark.parametrize("number", signals.ENDING)
def test_ignored_signals_are_lost(number: signal.Signals) -> None:
    with signals.ignored():
        os.kill(os.getpid(), number)


@pytest.mark.usefixtures("parent")
@pytest.mark.parametrize("number", signals.ENDING)
def test_deferred_signals_interrupt_after_the_block(number: signal.Signals) -> None:
    done = []

    def ends_its_work() -> None:
        with signals.deferred(lambda: done.append("noted")):
            os.kill(os.getpid(), number)
            done.append("to the end")

    with pytest.raises(KeyboardInterrupt):
        ends_its_work()

    assert done == ["noted", "to the end"]


def test_an_error_of_a_deferring_block_is_not_hidden_by_the_interrupt() -> None:
    def fails() -> None:
        with signals.deferred():
            os.kill(os.getpid(), signal.SIGINT)
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 its kind is all there is to it
        fails()


def test_in_another_thread_the_handlers_stay() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def look() -> None:
        with signals.interrupt_on(), signals.ignored(), signals.deferred():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert seen == [before]
