"""Collectors that are out, each in its own way: the address to send spans to."""

import contextlib
import socket
from collections.abc import Iterator

from tests.integration.app.service import free_port


@contextlib.contextmanager
def refused() -> Iterator[str]:
    """Nobody listens: the process is down."""
    yield f"http://127.0.0.1:{free_port()}"


@contextlib.contextmanager
def frozen() -> Iterator[str]:
    """Connections are accepted, for the kernel does that, and nothing is ever read or answered: SIGSTOP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def black_holed() -> Iterator[str]:
    """Connections are never made: a listener whose backlog is full drops what arrives, as a firewall does."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def unresolvable() -> Iterator[str]:
    """The name leads nowhere (RFC 2606)."""
    yield "http://collector.invalid:4318"
