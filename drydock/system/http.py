"""HTTP requests to this machine, as a probe sends them. HTTP_PROXY must never catch an address of this machine."""

# httpx2 loads it at the first request only. A Ctrl-C in the middle of that, where dataclasses execute strings, ends
# CPython by the signal in the end, although it was handled (seen with 3.12).
import httpcore2  # noqa: F401
import httpx2

PROBE_SECONDS = 2.0  # the readiness probe's timeout in k8s/base


def answers(url: str) -> bool:
    """Whether `url` gives a 2xx within `PROBE_SECONDS`."""
    return status(url) in range(200, 300)


def status(url: str) -> int | None:
    """The HTTP status that `url` gives, or None without an answer."""
    try:
        return httpx2.get(url, timeout=PROBE_SECONDS, trust_env=False).status_code
    except httpx2.HTTPError:
        return None
