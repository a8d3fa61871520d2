"""A run of the judge: prepare, warm up, send by the clock, wait for the last answers, hand the account over."""

import asyncio
import base64
import gc
import json
import os
import signal
import sys
import time
from itertools import count
from urllib.parse import urlsplit

from drydock.core.errors import CannotRunError
from drydock.judge.answers import Answers
from drydock.judge.exchange import Exchange, Lane, RequestWriter
from drydock.judge.exports import Exports, traced_of_256
from drydock.judge.idle import IdleLane
from drydock.judge.ledger import LATE_SECONDS, Ledger
from drydock.judge.plan import Plan, Request
from drydock.judge.probe import ProbeLimit
from drydock.judge.schedule import Schedule
from drydock.judge.sender import Sender, refuse_exhausted, resolve
from drydock.requests.outcome import Outcome

PAUSE_SECONDS = 0.25
# So many good answers in a row before the clock starts: connection pools are filled, code is warm.
WARM = 60
# The most requests that are started at a time where it has fallen behind.
BATCH = 100


class Judge:
    """One run. SIGTERM and SIGINT stop the sending. Requests in flight still count.

    Another signal ends the wait for the last scrape.
    """

    def __init__(self, plan: Plan, address: tuple[str, int]) -> None:
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        clock = time.time() - time.monotonic()
        self._ledger = Ledger(clock)
        self._exports = Exports(plan, clock, os.environ)
        self._sender = Sender(address, plan.kept_connections, self._ended, plan.served_by_header)
        self._answers = Answers(plan.requests)
        self._writer = RequestWriter(urlsplit(plan.url).netloc, self._answers, traced_of_256(os.environ))
        self._schedule = Schedule(plan, self._answers)
        self._probes = ProbeLimit()
        self._idle = IdleLane(plan.idle_seconds, self._start_idle)
        self._sender.on_idle_closed = self._idle.closed
        self._began = 0.0
        self._number = 0
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._over = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def run(self) -> None:
        """All of it.

        Raises:
            CannotRunError: the service does not answer at first.
            ExhaustedError: this machine has run out of files or ports.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._end)
        await self._exports.open()
        await self._prepare()
        await self._warm_up()
        gc.collect()
        gc.freeze()
        gc.disable()  # an account of a run is kept anyway, and a collection would delay a request
        seconds = await self._send()
        await self._finish()
        refuse_exhausted(self._sender)
        await self._sender.close()
        self._hand_over(seconds, await self._exports.lost_spans())
        if (scraped := await self._exports.scraped(self._hurry)) is not None:
            emit(scraped=scraped)
        emit(ended=0, counted=self._ledger.counted)

    def _end(self) -> None:
        (self._hurry if self._stop.is_set() else self._stop).set()

    async def _prepare(self) -> None:
        """Makes the subjects."""
        deadline = time.monotonic() + self._plan.patience
        while len(self._writer.subjects) < self._plan.subjects:
            exchange = await self._ask(self._plan.prepare, len(self._writer.subjects))
            if exchange.outcome is Outcome.OK:
                self._writer.subjects.append(str(json.loads(exchange.answer)[self._plan.identifier]))
            else:
                await self._pause(exchange, deadline)

    async def _warm_up(self) -> None:
        """Waits for a service that answers everything."""
        deadline, good = time.monotonic() + self._plan.patience, 0
        for number in count():
            exchange = await self._ask(self._schedule.pick(number)[0], number)
            good = good + 1 if exchange.outcome is Outcome.OK else 0
            if good == WARM:
                return
            if not good:
                await self._pause(exchange, deadline)

    async def _pause(self, exchange: Exchange, deadline: float) -> None:
        if self._stop.is_set():
            raise CannotRunError("it was ended before it sent anything")
        if time.monotonic() > deadline:
            answer = exchange.reason or exchange.answer.decode(errors="replace")[:200]
            reason = f"{exchange.request.method} {exchange.request.path} is not answered: {exchange.outcome} {answer}"
            raise CannotRunError(reason, "Is the service up, and is this its address? drydock status")
        await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(self, request: Request, number: int) -> Exchange:
        """One request that is not counted."""
        exchange = self._exchange(request, Lane.FRESH, number, time.monotonic())
        answered = self._waiting[id(exchange)] = self._loop.create_future()
        self._sender.send(exchange)
        await answered
        return exchange

    async def _send(self) -> float:
        """Sends each request at its due time, without waiting for answers. Returns the seconds of sending."""
        self._began = time.monotonic() + 0.1
        emit(began=round(time.time() + 0.1, 3), rate=self._plan.rate, late_over_ms=LATE_SECONDS * 1000)
        self._loop.call_at(self._began, self._pump)
        if self._plan.idle_lane:
            self._loop.call_at(self._began, self._idle.start)
        ticking = self._loop.create_task(self._sample_each_second())
        try:
            await asyncio.wait_for(self._stop.wait(), self._plan.seconds + 0.1)
        except TimeoutError:
            self._stop.set()
        finally:
            ticking.cancel()
            self._idle.stop()
        return time.monotonic() - self._began

    def _pump(self) -> None:
        """Starts the requests that are due. The event loop reads answers between two batches."""
        for _ in range(BATCH):
            due = self._began + self._number / self._plan.rate
            if self._stop.is_set():
                return
            if due > time.monotonic():
                self._loop.call_at(due, self._pump)
                return
            self._start(due, *self._schedule.pick(self._number))
            self._number += 1
        self._loop.call_soon(self._pump)

    def _start(self, due: float, request: Request, lane: Lane, connection: int = 0) -> None:
        exchange = self._exchange(request, lane, self._number, due)
        exchange.connection = connection
        if self._ledger.started(exchange):
            self._exports.started_late()
        self._sender.send(exchange, self._plan.long_seconds if lane is Lane.LONG else 0.0)

    def _start_idle(self, due: float, connection: int) -> None:
        if (request := self._plan.reading) is not None:
            self._start(due, request, Lane.IDLE, connection)

    def _probe(self, now: float) -> None:
        """Sends a probe that is due at the very end of the failed request: this pairs their records."""
        if (request := self._plan.reading) is not None:
            self._start(now, request, Lane.PROBE)

    def _exchange(self, request: Request, lane: Lane, number: int, due: float) -> Exchange:
        head, body, key, trace = self._writer.write(request, lane, number)
        now = time.monotonic()
        patience = self._plan.timeout + (self._plan.long_seconds if lane is Lane.LONG else 0)
        return Exchange(due, now, lane, request, head, body, key, now + patience, trace)

    def _ended(self, exchange: Exchange) -> None:
        if exchange.outcome is Outcome.OK:
            self._answers.note(exchange.request, exchange.answer)
        if (waiting := self._waiting.pop(id(exchange), None)) is not None:
            if not waiting.done():
                waiting.set_result(None)
            return
        now = time.monotonic()
        self._ledger.ended(exchange, now)
        self._exports.ended(exchange, now)
        exchange.answer = b""
        if exchange.lane is Lane.IDLE:
            self._idle.ended(exchange)
        if self._probes.calls_for_probe(exchange, now) and not self._stop.is_set():
            self._probe(now)
        if self._stop.is_set() and not self._sender.in_flight:
            self._over.set()

    async def _sample_each_second(self) -> None:
        for second in count(1):
            await asyncio.sleep(max(0.0, self._began + second - time.monotonic()))
            self._emit_sample()

    async def _finish(self) -> None:
        """Waits for the requests in flight. Each has its outcome by its deadline."""
        while self._sender.in_flight:
            self._over.clear()
            await asyncio.wait_for(self._over.wait(), self._plan.timeout + self._plan.long_seconds + 5)
        self._emit_sample()

    def _emit_sample(self) -> None:
        sample = self._ledger.sample(time.monotonic(), self._sender.in_flight)
        emit(sample={**sample, "raced": self._idle.raced})

    def _hand_over(self, seconds: float, lost_spans: int) -> None:
        more = {"lost_spans": lost_spans, "idle_timeout_s": self._idle.timeout, "raced": self._idle.raced}
        summary = {**self._ledger.summary(self._plan.rate, seconds), **more}
        if self._ledger.late:
            late = f"{self._ledger.late:,} of {self._ledger.sent:,} requests"
            reason = f"{late} were started more than {LATE_SECONDS * 1000:g} ms late"
            print(f"fell behind: {reason}", file=sys.stderr, flush=True)  # noqa: T201 - its log
        emit(summary=summary)
        for chunk in self._ledger.chunks():
            emit(records=base64.b64encode(chunk).decode())


def emit(**line: object) -> None:
    """A line of the log for a program."""
    print(json.dumps(line, separators=(",", ":")), flush=True)  # noqa: T201 - its log


async def judge(plan: Plan) -> None:
    """Runs a plan. Raises the errors of `Judge.run`."""
    await Judge(plan, await resolve(plan.url)).run()
