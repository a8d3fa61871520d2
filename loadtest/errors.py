"""Maps geventhttpclient's errors to the outcomes of drydock/requests/outcome.py. Every request has exactly one."""

from collections.abc import Iterator

from gevent import Timeout
from geventhttpclient.response import HTTPParseError

from drydock.requests.outcome import OUR_OWN, Outcome

# geventhttpclient also raises a parse error if the connection ends before the response's head is complete. Only the
# message differs.
ENDED = ("connection closed", "Invalid EOF state")


def of_error(error: BaseException, began: bool) -> Outcome:
    """The outcome of a request that failed with `error`. `began` is true if the response's head had arrived."""
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
    # The address does not resolve, refuses the connection or is unreachable.
    return Outcome.REFUSED if any(isinstance(cause, OSError) for cause in causes) else Outcome.RESET


def of_our_own(error: BaseException) -> str | None:
    """The system's message if this machine ran out of a resource, such as ports. None for all other errors."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in OUR_OWN:
            return str(cause)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its chain of causes. geventhttpclient stores the error that a timeout interrupted in `original`."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = getattr(seen, "original", None) or seen.__cause__ or seen.__context__
