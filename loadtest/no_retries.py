"""An honest client sends each request once: what is lost is seen to be lost.

geventhttpclient, below locust's FastHttpUser, sends a GET, HEAD, OPTIONS, PUT, DELETE or TRACE again when the
connection breaks, as often as its pool is large and once more, whatever locust's `max_retries` says. Which methods it
takes for safe to repeat is one global of its module.
"""

from geventhttpclient import client


def never_retry() -> None:
    """No method is repeated, in this process, from now on."""
    client.IDEMPOTENT_METHODS = frozenset()
