"""Every exit from a drill restores the service, part by part."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from drydock.core.errors import CannotRunError, FailedError
from drydock.drills.restoration import restored
from drydock.system import signals
from drydock.targets import state
from drydock.targets.journal import Holder

pytestmark = pytest.mark.usefixtures("hears_sighup")


class Switch:
    """A part with a value; `broken` is raised by the attempt to restore it."""

    def __init__(self, title: str, value: Any = "off", broken: BaseException | None = None) -> None:
        self.title = title
        self.value = value
        self.broken = broken
        self.restored = 0

    def read(self) -> Any:
        return self.value

    def restore(self, before: Any) -> None:
        self.restored += 1
        if self.broken:
            raise self.broken
        self.value = before


class Service:
    """The part of a target that restores: two switches."""

    def __init__(self, *parts: Switch) -> None:
        self.parts = parts
        self._before: dict[str, Any] = {}

    def begin(self, run: str) -> None:
        self._before = state.read(self.parts)

    def changed_parts(self) -> list[str]:
        return state.changed(self.parts, self._before)

    def restore(self) -> None:
        state.restore(self.parts, self._before)


@pytest.fixture
def service() -> Service:
    return Service(Switch("faults"), Switch("autoscaler"))


def drill(service: Any, ending: BaseException | None = None, *, keep: bool = False) -> None:
    with restored(service, "rollout", keep=keep):
        service.parts[0].value = "on"
        if ending:
            raise ending


def test_only_what_has_changed_is_restored(service: Service) -> None:
    drill(service)

    assert [part.value for part in service.parts] == ["off", "off"]
    assert [part.restored for part in service.parts] == [1, 0]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, FailedError("lost"), RuntimeError("a defect"), OSError("full")])
def test_every_ending_restores_the_service(service: Service, ending: BaseException) -> None:
    with pytest.raises((KeyboardInterrupt, FailedError, RuntimeError, OSError)):
        drill(service, ending)

    assert service.parts[0].value == "off"


@pytest.mark.parametrize("broken", [FailedError("no answer"), TypeError("no answer")])
def test_a_part_that_fails_is_named_and_the_others_are_restored(broken: BaseException) -> None:
    service = Service(Switch("faults", broken=broken), Switch("autoscaler"))
    before = state.read(service.parts)
    for part in service.parts:
        part.value = "on"

    with pytest.raises(CannotRunError, match=r"not restored:\nfaults: .*no answer") as raised:
        state.restore(service.parts, before)

    assert raised.value.remedy == "Restore the service: drydock drill restore"
    assert service.parts[1].value == "off"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_waits_until_the_service_is_restored(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    class Impatient(Switch):
        def restore(self, before: Any) -> None:
            os.kill(os.getpid(), number)
            super().restore(before)

    service: Any = Service(Impatient("faults"))
    with pytest.raises(KeyboardInterrupt):
        drill(service)

    assert service.parts[0].value == "off"
    assert "the drill ends after that" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_ends_a_drill_and_restores_the_service(service: Any, number: signal.Signals) -> None:
    def interrupted() -> None:
        with signals.interrupt_on(), restored(service, "rollout"):
            service.parts[0].value = "on"
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert service.parts[0].value == "off"


def test_a_program_under_nohup_survives_a_closed_terminal() -> None:
    """`nohup` starts it with SIGHUP ignored: that stays so."""
    source = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from drydock.system import signals\n"
        "with signals.interrupt_on(): os.kill(os.getpid(), signal.SIGHUP)\n"
        "print('survived')"
    )
    assert subprocess.run([sys.executable, "-c", source], capture_output=True, text=True).stdout == "survived\n"


def test_ctrl_c_does_not_reach_a_program_that_restores(tmp_path: Path) -> None:
    """The terminal sends SIGINT to the whole foreground process group. A kubectl of ours is not in it."""
    done = tmp_path / "restored"
    program = f"import time; time.sleep(1); open({str(done)!r}, 'w')"
    source = (
        "import sys\n"
        "from drydock.system import processes, signals\n"
        "with signals.deferred(lambda: print('waits', flush=True)):\n"
        "    print('restoring', flush=True)\n"
        f"    processes.output([sys.executable, '-c', {program!r}])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "restoring\n"
    deadline = time.monotonic() + 10
    while not psutil.Process(process.pid).children() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=20)

    assert "waits" in output
    assert done.exists(), "the program was interrupted"


def test_kept_changes_are_named_with_the_remedy(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    drill(service, keep=True)

    assert service.parts[0].value == "on"
    assert "Kept: faults. `drydock drill restore` restores it." in capsys.readouterr().err


def test_a_drill_is_alive_as_long_as_its_process() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(process.pid).create_time()
    holder = Holder("rollout", Holder.this_process("").host, process.pid, started, "now")
    another = Holder("rollout", holder.host, process.pid, started - 60, "now")
    elsewhere = Holder("rollout", "another-host", process.pid, started, "now")

    assert [holder.alive, another.alive, elsewhere.alive] == [True, False, False]
    process.kill()
    process.wait()
    assert not holder.alive
    assert json.dumps(str(elsewhere)) == f'"rollout, process {process.pid} on another-host, since now"'
