"""Readiness: a registry of named checks, answered together within one bound."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger("app.lifecycle")

# A check returns None when it passes, otherwise the reason why not.
Check = Callable[[], Awaitable[str | None]]


class Readiness:
    """Whether this process should be sent requests. A further dependency is one more `add`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._checks: dict[str, Check] = {}
        self._ready: bool | None = None

    def add(self, name: str, check: Check) -> None:
        """Register one check under the name that a failure is reported by."""
        self._checks[name] = check

    async def report(self) -> dict[str, str]:
        """Every check's name with "ok" or the reason why it fails, within the bound."""
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
