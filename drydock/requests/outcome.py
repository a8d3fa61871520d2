"""What can become of a request, told from the outside: every request has exactly one outcome."""

import errno
from collections.abc import Iterator
from enum import StrEnum

import h11
import httpx2

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


def of_error(error: Exception, began: bool) -> Outcome:
    """The outcome of a request that failed with `error`; `began` is whether the response's head had come by then.

    Raises:
        ExhaustedError: this machine has run out of something.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno in OUR_OWN:
            raise ExhaustedError(str(cause)) from error
    if any(isinstance(cause, TimeoutError | httpx2.TimeoutException) for cause in causes):
        return Outcome.TIMED_OUT
    if began:
        return Outcome.TRUNCATED
    if any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in causes):
        return Outcome.RESET
    if isinstance(error, httpx2.ConnectError):
        return Outcome.REFUSED
    if any(isinstance(cause, h11.RemoteProtocolError) for cause in causes):
        return Outcome.TRUNCATED
    return Outcome.CLOSED_EARLY if isinstance(error, httpx2.RemoteProtocolError) else Outcome.RESET


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it: the operating system's own error is at the bottom."""
    yield error
    nested = list(error.exceptions) if isinstance(error, BaseExceptionGroup) else []
    # httpcore2 raises its errors again `from None`, which leaves the way down in the context alone.
    for cause in [*nested, error.__cause__ or error.__context__]:
        if cause is not None:
            yield from _causes(cause)
