"""The endpoints of collectors that are down, one for each kind of failure."""

import contextlib
import socket
from collections.abc import Iterator

from tests.integration.app.service import free_port


@contextlib.contextmanager
def refused() -> Iterator[str]:
    """Connections are refused, as by a process that is down."""
    yield f"http://127.0.0.1:{free_port()}"


@contextlib.contextmanager
def frozen() -> Iterator[str]:
    """The kernel accepts connections, but nothing reads or answers, as after SIGSTOP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def black_holed() -> Iterator[str]:
    """Connections time out: a listener with a full backlog drops SYN packets, as a firewall does."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def unresolvable() -> Iterator[str]:
    """The host name does not resolve (RFC 2606)."""
    yield "http://collector.invalid:4318"
