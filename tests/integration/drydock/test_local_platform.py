"""`drydock up` without Docker, for real: another service in place of ours, so that only the platform is judged."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import httpx2
import psutil
import pytest

from drydock.local import platform, postgres
from tests.integration.drydock import without_docker
from tests.polling import poll_until

SERVICE = Path(__file__).parent / "service.py"
# As long as Postgres and then the service may take on a busy machine: `up` itself gives up after that.
START_SECONDS = postgres.START_SECONDS + platform.READY_SECONDS
MIGRATE = "import os, pathlib; pathlib.Path('migrated').write_text(os.environ['DATABASE_URL'])"
CONFIGURATION = """
[workload]
namespace = "sample"
deployment = "sample"
container = "sample"
service = "sample"
[probes]
live = "/live"
ready = "/ready"
[platforms]
kind = "http://localhost:1"
compose = "http://localhost:2"
local = "http://localhost:{port}"
[telemetry.kind]
grafana = "http://localhost:1"
prometheus = "http://localhost:1"
jaeger = "http://localhost:1"
[telemetry.compose]
grafana = "http://localhost:2"
prometheus = "http://localhost:2"
jaeger = "http://localhost:2"
[local]
command = {command}
migrate = {migrate}
deployment = "deployment.yaml"
variables = "service.env"
grace_seconds = 5
[local.environment]
GREETING = "hello"
"""

# As they are: this platform asks nothing of them.
DRILLS = "[shutdown]" + (Path(__file__).parents[3] / "drydock.toml").read_text().partition("\n[shutdown]")[2]

type SigintHandler = signal.Handlers | Callable[[int, FrameType | None], None]


@dataclass
class Checkout:
    """A project of its own in a temporary folder, and `drydock` in it."""

    root: Path
    port: int

    def configure(self, migrate: str = MIGRATE) -> None:
        """Writes drydock.toml."""
        command, migration = [sys.executable, "service.py"], [sys.executable, "-c", migrate]
        text = CONFIGURATION.format(port=self.port, command=json.dumps(command), migrate=json.dumps(migration))
        (self.root / "drydock.toml").write_text(text + DRILLS)

    def drydock(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return without_docker.drydock(self.root, *arguments, seconds=60)

    @contextmanager
    def foreground(self, sigint: SigintHandler = signal.default_int_handler) -> Iterator[subprocess.Popen[str]]:
        """`drydock up` while the service is ready; it inherits what `sigint` leaves: the default, or ignored."""
        command = [sys.executable, "-m", "drydock", "up"]
        before = signal.signal(signal.SIGINT, sigint)
        try:
            started = subprocess.Popen(
                command,
                cwd=self.root,
                env=without_docker.ENVIRONMENT,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        with started as process:
            try:
                poll_until(
                    lambda: self.answers() or process.poll() is not None, "the service to be ready", START_SECONDS
                )
                yield process
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.communicate(timeout=30)

    def answers(self) -> bool:
        """Whether the service answers."""
        try:
            return httpx2.get(f"http://127.0.0.1:{self.port}/ready", timeout=1).status_code == 200
        except httpx2.HTTPError:
            return False

    def processes(self) -> list[psutil.Process]:
        """Whatever of this checkout still runs: its service, its Postgres, its `drydock`."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            try:
                mine = str(self.root) in " ".join(process.info["cmdline"] or []) or process.cwd() == str(self.root)
            except psutil.Error:
                continue
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found

    def pid(self) -> int:
        """The `drydock up` that runs in the background."""
        remembered: int = json.loads((self.root / ".local" / "local.json").read_text())["pid"]
        return remembered


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = tmp_path / "checkout"
    root.mkdir()
    shutil.copy(SERVICE, root)
    prepared = Checkout(root, port)
    prepared.configure()
    yield prepared
    prepared.drydock("down", "--all")
    poll_until(lambda: not prepared.processes(), "everything of the checkout to have ended")


@pytest.mark.slow
def test_up_down_and_up_again_in_the_background(checkout: Checkout) -> None:
    first = checkout.drydock("up", "--detach")
    assert first.returncode == 0, first.stderr
    assert checkout.answers()
    assert (checkout.root / "migrated").exists(), "the migrations did not run"
    assert checkout.drydock("status").returncode == 0

    assert checkout.drydock("up", "--detach").returncode == 0, "a second up is not an error"

    assert "local platform" in checkout.drydock("down").stderr
    assert checkout.processes() == []
    assert checkout.drydock("status").returncode == 1
    assert "Nothing was running" in checkout.drydock("down").stderr

    database = (checkout.root / ".local" / "postgres").stat().st_ino
    again = checkout.drydock("up", "--detach")
    assert again.returncode == 0, again.stderr
    assert (checkout.root / ".local" / "postgres").stat().st_ino == database, "the data was kept"


@pytest.mark.parametrize(
    ("number", "sigint"),
    [
        pytest.param(signal.SIGINT, signal.default_int_handler, id="SIGINT from a terminal", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, signal.SIG_IGN, id="SIGINT to a background job of a script"),
        pytest.param(signal.SIGTERM, signal.default_int_handler, id="SIGTERM", marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_and_sigterm_stop_the_service_gracefully_and_postgres_after_it(
    checkout: Checkout, number: signal.Signals, sigint: SigintHandler
) -> None:
    with checkout.foreground(sigint) as up:
        up.send_signal(number)
        shown, _ = up.communicate(timeout=30)

    assert up.returncode == 0, shown
    first = shown.splitlines()[0]
    assert "claims nothing about Kubernetes" in first
    assert "sample | started with hello" in shown
    assert "sample | ended gracefully" in shown
    assert (checkout.root / "ended").read_text() == "database answers: True"
    assert checkout.processes() == []


def test_a_service_that_crashes_ends_the_platform_with_code_1(checkout: Checkout) -> None:
    with checkout.foreground() as up:
        with pytest.raises(httpx2.HTTPError):
            httpx2.get(f"http://127.0.0.1:{checkout.port}/crash")
        shown, _ = up.communicate(timeout=30)

    assert up.returncode == 1
    assert "ended by itself with code 7" in shown
    assert checkout.processes() == []


def test_a_migration_that_fails_starts_no_service(checkout: Checkout) -> None:
    checkout.configure(migrate="print('no such column'); raise SystemExit(3)")

    up = checkout.drydock("up", "--detach")

    assert up.returncode == 1
    assert "migrate | no such column" in up.stderr
    assert "the migrations ended with code 3" in up.stderr
    poll_until(lambda: not checkout.processes(), "the platform to have ended")


@pytest.mark.slow
def test_what_a_killed_platform_left_running_is_taken_over_by_the_next_up(checkout: Checkout) -> None:
    checkout.drydock("up", "--detach")
    os.kill(checkout.pid(), signal.SIGKILL)
    orphans = checkout.processes()
    assert orphans, "the service and Postgres outlive a killed parent"

    again = checkout.drydock("up", "--detach")

    assert again.returncode == 0, again.stderr
    assert not {orphan.pid for orphan in orphans} & {process.pid for process in checkout.processes()}


@pytest.mark.slow
def test_what_a_killed_platform_left_running_is_stopped_by_down(checkout: Checkout) -> None:
    checkout.drydock("up", "--detach")
    os.kill(checkout.pid(), signal.SIGKILL)

    assert "local platform" in checkout.drydock("down").stderr
    assert checkout.processes() == []


@pytest.mark.slow
def test_a_second_platform_in_the_same_checkout_is_refused(checkout: Checkout) -> None:
    checkout.drydock("up", "--detach")

    second = checkout.drydock("up")

    assert second.returncode == 2
    assert "runs already" in second.stderr
    assert checkout.answers(), "the refusal left the running one alone"


def test_a_taken_port_is_named_before_anything_starts(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", checkout.port)):
        up = checkout.drydock("up")

    assert up.returncode == 2
    assert f"port {checkout.port} is in use" in up.stderr
    assert not (checkout.root / ".local" / "postgres").exists()
