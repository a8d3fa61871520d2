"""Readiness: a registry of named checks, run concurrently with one timeout."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger("app.lifecycle")

# A check returns None when it passes, otherwise the reason of its failure.
Check = Callable[[], Awaitable[str | None]]


class Readiness:
    """The readiness checks of this process. Call `add` for each dependency."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._checks: dict[str, Check] = {}
        self._ready: bool | None = None

    def add(self, name: str, check: Check) -> None:
        """Register a check under the name used in reports."""
        self._checks[name] = check

    async def report(self) -> dict[str, str]:
        """The result of each check by name: "ok" or the reason of its failure."""
        results = await asyncio.gather(*(self._run(check) for check in self._checks.values()))
        report = dict(zip(self._checks, results, strict=True))
        self._log_change(report)
        return report

    async def _run(self, check: Check) -> str:
        try:
            async with asyncio.timeout(self._seconds):
                return await check() or "ok"
        except TimeoutError:
            return f"no answer within {self._seconds:g} s"

    def _log_change(self, report: dict[str, str]) -> None:
        failed = {name: reason for name, reason in report.items() if reason != "ok"}
        ready = not failed
        if ready != self._ready:
            self._ready = ready
            logger.log(
                logging.INFO if ready else logging.WARNING,
                "ready" if ready else "unready",
                extra={} if ready else {"failed": failed},
            )
