"""A service as small as can be: ready at once; on SIGTERM it notes whether its database still answers, and ends."""

import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/crash":
            os._exit(7)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def database_answers() -> bool:
    """Whether something listens where DATABASE_URL points."""
    address = urlsplit(os.environ["DATABASE_URL"])
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname or "", address.port or 0)) == 0


def message(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def end(*_: object) -> None:
    """Notes the truth at the moment of SIGTERM."""
    Path("ended").write_text(f"database answers: {database_answers()}")
    message("ended gracefully")
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    host, port = sys.argv[sys.argv.index("--host") + 1], int(sys.argv[sys.argv.index("--port") + 1])
    message(f"started with {os.environ['GREETING']}")
    HTTPServer((host, port), Handler).serve_forever()
