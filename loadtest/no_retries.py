"""Disables the client's retries: a retry would hide a lost request.

geventhttpclient, which locust's FastHttpUser uses, repeats a GET, HEAD, OPTIONS, PUT, DELETE or TRACE when the
connection breaks, up to its pool size plus one times, regardless of locust's `max_retries`. A global of its module
lists the methods that it repeats.
"""

from geventhttpclient import client


def never_retry() -> None:
    """Disable retries of every method in this process."""
    client.IDEMPOTENT_METHODS = frozenset()
