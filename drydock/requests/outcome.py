"""The outcomes of a request as the client sees them. Every request has exactly one."""

import errno
from enum import StrEnum

# Errors of the client's machine: it has run out of files, ports or buffers. The service is not the cause.
OUR_OWN = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})


class Outcome(StrEnum):
    """The outcomes; every one but `OK` is a loss."""

    OK = "ok"
    REFUSED = "refused"  # the connection could not be established
    RESET = "reset"  # the connection broke before the head of the response was complete
    CLOSED_EARLY = "closed_early"  # the server closed the connection in good order, but before that
    TRUNCATED = "truncated"  # the response began and is incomplete, or is not HTTP
    SERVER_ERROR = "5xx"
    CLIENT_ERROR = "4xx"  # any complete response that is neither 2xx nor 5xx
    TIMED_OUT = "timed_out"


# The outcomes of a request that crosses the server's FIN or RST.
CROSSED = frozenset({Outcome.RESET, Outcome.CLOSED_EARLY})
# The outcomes with a complete response of any status.
WHOLE = frozenset({Outcome.OK, Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR})


class ExhaustedError(Exception):
    """The client's machine, not the service, prevented a request."""


def of_status(status: int) -> Outcome:
    """The outcome of a complete response."""
    if status in range(200, 300):
        return Outcome.OK
    return Outcome.SERVER_ERROR if status >= 500 else Outcome.CLIENT_ERROR
