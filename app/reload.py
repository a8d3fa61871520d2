"""Development only: `python -m app.reload` runs the service and restarts it within half a second of each edit.

`uvicorn --reload` imports everything again in a fresh interpreter. Here a fork server has already imported the
third-party modules, so a restart imports only the service's own. The new process replaces the old one once it has
started. If it fails to start, the old process keeps serving.
"""

import multiprocessing
import signal
import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import uvicorn
import watchfiles

APPLICATION = "app.main:app"
PACKAGE = APPLICATION.partition(".")[0]
HOST, PORT, BACKLOG = "0.0.0.0", 8000, 2048  # noqa: S104 - a container's network is its own

# The startup timeout of new code, in seconds.
START = 30
# Milliseconds between two checks of the stop event, and before the first start, when the file watch is already active.
LOOK = 100

processes = multiprocessing.get_context("forkserver")


def main(port: int = PORT) -> None:
    """Serve on `port` until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    processes.set_forkserver_preload(imported_modules())
    serving: BaseProcess | None = None
    with socket.create_server((HOST, port), backlog=BACKLOG) as listener:
        for changes in watchfiles.watch(
            PACKAGE, watch_filter=watchfiles.PythonFilter(), stop_event=stop, yield_on_timeout=True, rust_timeout=LOOK
        ):
            if changes or serving is None:
                serving = replace(serving, listener)


def imported_modules() -> list[str]:
    """The third-party modules that the service imports. Empty if its import fails."""
    script = f"import sys, {PACKAGE}.main; print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [name for name in output.split() if name.partition(".")[0] not in (PACKAGE, "__main__")]


def replace(old: BaseProcess | None, listener: socket.socket) -> BaseProcess | None:
    """Start a process with the current code and terminate the old one. Returns the old one if the new one fails."""
    started, announce = processes.Pipe(duplex=False)
    new = processes.Process(target=serve, args=(listener, announce), daemon=True)
    new.start()
    announce.close()
    if not _announced(started):
        new.terminate()
        print("The new code failed to start. The previous version keeps serving.", file=sys.stderr)  # noqa: T201
        return old
    if old is not None:
        old.terminate()
    return new


def serve(listener: socket.socket, started: Connection) -> None:
    """Run the service in this process on an open listener. Sends True to `started` after startup."""
    server = _AnnouncedServer(uvicorn.Config(APPLICATION))
    server.announce = started
    server.run(sockets=[listener])


class _AnnouncedServer(uvicorn.Server):
    announce: Connection

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self.announce.send(True)


def _announced(started: Connection) -> bool:
    try:
        return started.poll(START) and bool(started.recv())
    except EOFError:  # the process ended during startup
        return False


if __name__ == "__main__":
    main()
