"""The optional exports of the judge: metrics for Prometheus, and spans for a collector."""

import asyncio
from collections.abc import Mapping

from drydock.core.errors import CannotRunError
from drydock.judge.exchange import TRACED_BYTES, Exchange
from drydock.judge.exposition import Exposition
from drydock.judge.metrics import Metrics
from drydock.judge.plan import Plan
from drydock.judge.spans import Finished, SpanExporter

PORT = "JUDGE_METRICS_PORT"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SHARE = "OTEL_TRACES_SAMPLER_ARG"
# Two scrapes of 5 s, and a little.
SCRAPE_SECONDS = 12.0


class Exports:
    """The exports of a run. `clock` added to the monotonic clock's seconds makes Unix seconds."""

    def __init__(self, plan: Plan, clock: float, environment: Mapping[str, str]) -> None:
        self._clock = clock
        self._port = int(environment.get(PORT) or 0)
        self._metrics = Metrics(plan)
        self._exposition = Exposition(self._metrics) if self._port else None
        endpoint = environment.get(ENDPOINT)
        self._spans = SpanExporter(endpoint, plan.url, environment) if endpoint else None

    async def open(self) -> None:
        """Begins. Raises CannotRunError where the port is taken."""
        if self._exposition is not None:
            await self._exposition.open(self._port)
        if self._spans is not None:
            self._spans.start()

    def started_late(self) -> None:
        """A request was started later than it should."""
        self._metrics.late += 1

    def ended(self, exchange: Exchange, now: float) -> None:
        """A request has its outcome."""
        if (outcome := exchange.outcome) is None:
            return
        time = now + self._clock
        self._metrics.ended(exchange, outcome, now - exchange.due, time)
        if exchange.trace and self._spans is not None:
            self._spans.ended(Finished(exchange, outcome, exchange.started + self._clock, time))

    async def lost_spans(self) -> int:
        """Sends the last spans; returns how many the collector did not take."""
        return await asyncio.to_thread(self._spans.close) if self._spans is not None else 0

    async def scraped(self, hurry: asyncio.Event) -> bool | None:
        """Waits for one more scrape, with a limit or until `hurry`. True if it came, None without metrics."""
        if self._exposition is None:
            return None
        scrape, hurried = (asyncio.ensure_future(it) for it in (self._exposition.scraped(), hurry.wait()))
        done, left = await asyncio.wait({scrape, hurried}, timeout=SCRAPE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for waiting in left:
            waiting.cancel()
        self._exposition.close()
        return scrape in done


def traced_of_256(environment: Mapping[str, str]) -> int:
    """The number of traces kept of 256.

    Raises:
        CannotRunError: the variable is no share.
    """
    if not (text := environment.get(SHARE)):
        return TRACED_BYTES
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise CannotRunError(f"{SHARE} is {text!r}", "Set it to the share of traces to keep, 0 to 1.")
    return round(share * 256)
