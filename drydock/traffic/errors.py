"""The outcome of a request that failed, by the errors of httpx2."""

from collections.abc import Iterator

import h11
import httpx2

from drydock.requests.outcome import OUR_OWN, ExhaustedError, Outcome


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
