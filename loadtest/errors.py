"""What can become of a request, told from the outside: every request has exactly one outcome.

The same words, with the same meaning, as in drydock/requests/outcome.py, of geventhttpclient's errors.
"""

from collections.abc import Iterator

from gevent import Timeout
from geventhttpclient.response import HTTPParseError

from drydock.requests.outcome import OUR_OWN, Outcome

# geventhttpclient calls an end before the head or within it a parse error too, and tells it by its words alone.
ENDED = ("connection closed", "Invalid EOF state")


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
