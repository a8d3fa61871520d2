"""A run: prepare, send by the clock, wait for the last answers, report, let the last counts be scraped."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from drydock.core.errors import CannotRunError
from drydock.requests.outcome import WHOLE, ExhaustedError
from drydock.traffic import metrics
from drydock.traffic.client import Answer, Client, Lane, Operation
from drydock.traffic.metrics import Exposition
from drydock.traffic.options import Options
from drydock.traffic.shopper import MIX, Shopper
from drydock.traffic.tally import LATE_SECONDS, Tally
from drydock.traffic.tracing import tracing_of

if TYPE_CHECKING:
    from drydock.traffic.spans import Tracing

PROGRESS_SECONDS = 5.0
NOTHING_LOST, SOMETHING_LOST = 0, 1
LANES = tuple(Lane)


async def run(options: Options) -> int:
    """Does one run and returns the exit code.

    Raises:
        CannotRunError: the service does not answer, or this machine cannot send.
    """
    traces = tracing_of(options.url)
    with Exposition(options.metrics_port) as exposition:
        async with Client(options.url, options.timeout) as client:
            return await Run(options, client, traces).execute(exposition)


class Run:
    """One run. A signal ends the stage that it is in, so what was sent by then is accounted for all the same."""

    def __init__(self, options: Options, client: Client, traces: "Tracing | None") -> None:
        self._options = options
        self._client = client
        self._traces = traces
        self._shopper = Shopper()
        self._tally = Tally(options.count)
        self._loop = asyncio.get_running_loop()
        self._current: asyncio.Task[None] | None = None

    async def execute(self, exposition: Exposition) -> int:
        """All stages, one after the other."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._end_stage)
        try:
            await self._prepare_and_send()
        except* ExhaustedError as group:
            reason = f"this machine has run out of something: {group.exceptions[0]}"
            raise CannotRunError(reason, "Send less, with --rate, or allow more, with `ulimit -n`.") from group
        message(self._tally.summary())
        if self._traces and (lost := self._traces.lost()):
            message(f"spans     {lost:,} did not reach {self._traces.endpoint}")
        scraped = await self._stage(asyncio.wait_for(exposition.scraped(), self._options.scrape_wait))
        message(self._tally.machine_readable(scraped))
        return SOMETHING_LOST if self._tally.lost else NOTHING_LOST

    async def _prepare_and_send(self) -> None:
        if not await self._stage(self._shopper.prepare(self._client, self._options.count)):
            raise CannotRunError("it was ended before it sent anything")
        message(f"sending {self._options.count:,} requests to {self._client.url}, {self._options.rate:g} a second")
        began = self._loop.time()
        progress = asyncio.create_task(self._tell_progress(began))
        try:
            async with asyncio.TaskGroup() as requests:
                await self._stage(self._send_by_the_clock(requests, began))
                self._tally.seconds = self._loop.time() - began
        finally:
            progress.cancel()

    async def _send_by_the_clock(self, requests: asyncio.TaskGroup, began: float) -> None:
        """Starts each request at its time, whatever became of those before; what is left at the end is not sent."""
        end = began + self._options.seconds
        for number in range(self._options.count):
            due = began + number / self._options.rate
            await self._sleep_until(due)
            if self._loop.time() > end + LATE_SECONDS:
                return
            requests.create_task(self._request(number, due))
        await self._sleep_until(end)

    async def _sleep_until(self, moment: float) -> None:
        await asyncio.sleep(max(0, moment - self._loop.time()))

    async def _request(self, number: int, due: float) -> None:
        if self._tally.started(self._loop.time() - due):
            metrics.LATE_STARTS.inc()
        operation = self._shopper.operation(number)
        # Each kind of request takes the lanes in turn.
        answer, exemplar = await self._send(LANES[number // MIX % len(LANES)], operation)
        seconds = self._loop.time() - due
        self._tally.ended(answer, seconds)
        metrics.observe(answer.outcome, seconds if answer.outcome in WHOLE else None, exemplar)
        self._shopper.learn(operation, answer)

    async def _send(self, lane: Lane, operation: Operation) -> tuple[Answer, dict[str, str] | None]:
        if self._traces is None:
            return await self._client.send(lane, operation), None
        span = self._traces.begin(operation)
        answer = await self._client.send(lane, operation, span.headers)
        span.end(answer)
        return answer, span.exemplar

    async def _tell_progress(self, began: float) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            message(self._tally.progress(self._loop.time() - began))

    async def _stage(self, work: Coroutine[Any, Any, None]) -> bool:
        """Does `work`; returns whether it came to its end: a signal or its own time limit may have ended it."""
        stage = self._current = asyncio.create_task(work)
        try:
            await asyncio.wait([stage])
        finally:
            stage.cancel()
        with contextlib.suppress(asyncio.CancelledError, TimeoutError):
            stage.result()
            return True
        return False

    def _end_stage(self) -> None:
        if self._current:
            self._current.cancel()


def message(text: str) -> None:
    """Lines on stdout, at once: whoever follows the log sees them as they come."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
