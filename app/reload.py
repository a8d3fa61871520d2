"""Development only: `python -m app.reload` runs the service, and after each edit runs it anew, in half of a second.

`uvicorn --reload` would import everything again in a fresh interpreter. Here a process that has imported what the
service needs from elsewhere waits to be forked, so that only the service's own modules are imported again. The new
process takes over from the old one when it answers; an edit that does not start leaves the old one serving.
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

# Seconds. New code that has not started by then is given up.
START = 30
# Milliseconds between two looks at whether to stop, and before the first start: the watch is in place by then.
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
    """What the service imports beside its own modules: nothing where it cannot be imported for now."""
    script = f"import sys, {PACKAGE}.main; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [name for name in said.split() if name.partition(".")[0] not in (PACKAGE, "__main__")]


def replace(old: BaseProcess | None, listener: socket.socket) -> BaseProcess | None:
    """The service as its code is now, once it answers, and the old one told to end; or the old one where it fails."""
    started, announce = processes.Pipe(duplex=False)
    new = processes.Process(target=serve, args=(listener, announce), daemon=True)
    new.start()
    announce.close()
    if not _announced(started):
        new.terminate()
        print("The new code does not start. The old one goes on serving.", file=sys.stderr)  # noqa: T201
        return old
    if old is not None:
        old.terminate()
    return new


def serve(listener: socket.socket, started: Connection) -> None:
    """Run the service in this process, on a listener that is already open. Says when it has started."""
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
    except EOFError:  # the process ended before it answered
        return False


if __name__ == "__main__":
    main()
