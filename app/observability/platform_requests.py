"""Requests of the platform: probes and scrapes. Telemetry excludes them, because they outnumber client requests."""

from starlette.types import Scope

PREFIXES = ("/health/", "/metrics")


def from_platform(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith(PREFIXES)
