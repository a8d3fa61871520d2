"""What can become of a request, told from the outside: every request has exactly one outcome."""

import errno
from enum import StrEnum

# What this machine has run out of: files, ports, buffers. The service is not to blame for it.
OUR_OWN = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})


class Outcome(StrEnum):
    """The outcomes; every one but `OK` is a loss."""

    OK = "ok"
    REFUSED = "refused"  # no connection came about
    RESET = "reset"  # the connection broke before the response's head was there
    CLOSED_EARLY = "closed_early"  # the server closed the connection in good order, but before that
    TRUNCATED = "truncated"  # the response began and did not come to its end, or is not HTTP
    SERVER_ERROR = "5xx"
    CLIENT_ERROR = "4xx"  # any whole response that is neither 2xx nor 5xx: nothing else was asked for
    TIMED_OUT = "timed_out"


# A whole response came, whatever it said.
WHOLE = frozenset({Outcome.OK, Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR})


class ExhaustedError(Exception):
    """This machine, not the service, stood in a request's way."""


def of_status(status: int) -> Outcome:
    """The outcome of a whole response."""
    if status in range(200, 300):
        return Outcome.OK
    return Outcome.SERVER_ERROR if status >= 500 else Outcome.CLIENT_ERROR
