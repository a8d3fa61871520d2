"""What can become of a request, told from the outside: every request has exactly one outcome.

The same words, with the same meaning, as in drydock/requests/outcome.py, of geventhttpclient's errors.
"""

import errno
from collections.abc import Iterator
from enum import StrEnum

from gevent import Timeout
from geventhttpclient.response import HTTPParseError

# What this machine has run out of: files, ports, buffers. The service is not to blame for it.
OUR_OWN = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})

# geventhttpclient calls an end before the head or within it a parse error too, and tells it by its words alone.
ENDED = ("connection closed", "Invalid EOF state")


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


def of_status(status: int) -> Outcome:
    """The outcome of a whole response."""
    if status in range(200, 300):
        return Outcome.OK
    return Outcome.SERVER_ERROR if status >= 500 else Outcome.CLIENT_ERROR


def of_error(error: BaseException, began: bool) -> Outcome:
    """The outcome of a request that failed with `error`; `began` is whether the response's head had come by then."""
    causes = list(_causes(error))
    if any(isinstance(cause, Timeout | TimeoutError) for cause in causes):
        return Outcome.TIMED_OUT
    if began:
        return Outcome.TRUNCATED
    if any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in causes):
        return Outcome.RESET
    if any(isinstance(cause, HTTPParseError) and cause.args[0].startswith(ENDED) for cause in causes):
        return Outcome.CLOSED_EARLY
    if any(isinstance(cause, HTTPParseError) for cause in causes):
        return Outcome.TRUNCATED
    # An address that does not resolve, does not accept, or to which there is no way.
    return Outcome.REFUSED if any(isinstance(cause, OSError) for cause in causes) else Outcome.RESET


def of_our_own(error: BaseException) -> str | None:
    """What this machine has run out of, in the system's words; None where the service had its chance."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in OUR_OWN:
            return str(cause)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it: geventhttpclient keeps what a timeout interrupted in `original`."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = getattr(seen, "original", None) or seen.__cause__ or seen.__context__
