"""Which requests come from the platform: probes and scrapes. In every signal they would drown those of callers."""

from starlette.types import Scope

PREFIXES = ("/health/", "/metrics")


def from_platform(scope: Scope) -> bool:
    """Whether a request is a probe or a scrape."""
    path: str = scope["path"]
    return path.startswith(PREFIXES)
