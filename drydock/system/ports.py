"""TCP ports of this machine's loopback interface."""

import errno
import socket

from drydock.system.host import is_wsl

LOOPBACK = "127.0.0.1"
# macOS and Windows try ::1 first for `localhost`: a listener there hides ours, which is on 127.0.0.1.
FAMILIES = ((socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1"))
# The errors of a machine without IPv6.
NO_SUCH_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


def in_use(port: int) -> bool:
    """Whether a program listens on the port, on loopback or on every interface, or the system reserves it."""
    return any(_answers(family, address, port) for family, address in FAMILIES) or any(
        _bind_error(family, address, port) in (errno.EADDRINUSE, errno.EACCES) for family, address in FAMILIES
    )


def reserved(port: int) -> bool:
    """Whether the system reserves the port: a range of Hyper-V, or a port below 1024."""
    return _bind_error(socket.AF_INET, LOOPBACK, port) == errno.EACCES


def free_port() -> int:
    """A port without a listener at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def listeners_command(port: int) -> str:
    """The command that lists the listening program. In WSL, lsof does not see programs of Windows."""
    return "netstat.exe -ano" if is_wsl() else f"lsof -iTCP:{port} -sTCP:LISTEN"


def _answers(family: socket.AddressFamily, address: str, port: int) -> bool:
    """Asked before binding: on BSD, SO_REUSEADDR lets 127.0.0.1 be bound beside a listener on every interface."""
    try:
        with socket.socket(family) as probe:
            probe.settimeout(1)
            return probe.connect_ex((address, port)) == 0
    except OSError as error:
        if error.errno in NO_SUCH_ADDRESS:
            return False
        raise


def _bind_error(family: socket.AddressFamily, address: str, port: int) -> int | None:
    """The error number of an attempt to listen. None if it succeeds, or the machine lacks the address."""
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that just closed do not count
            probe.bind((address, port))
    except OSError as error:
        return None if error.errno in NO_SUCH_ADDRESS else error.errno
    return None
