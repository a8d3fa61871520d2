"""The metrics of the judge: the text of /metrics, plain or as OpenMetrics with exemplars.

Every outcome of every kind of request is there from the start: a series that began with its first loss would have no
rate at that moment.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from drydock.judge.exchange import Exchange, Lane, span_of
from drydock.judge.plan import Plan, Request
from drydock.requests.outcome import WHOLE, Outcome
from drydock.requests.statistics import BUCKETS

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SECONDS = "client_request_duration_seconds"
BOUNDS = (*map(str, map(float, BUCKETS)), "+Inf")

type Kind = tuple[str, str, Lane, Outcome]


class Metrics:
    """The counts of a run. The histogram leaves long requests out: their time is that of the sending."""

    def __init__(self, plan: Plan) -> None:
        self._requests: dict[Kind, int] = {
            (request.method, request.route, lane, outcome): 0
            for request in plan.requests
            for lane in _lanes(plan, request)
            for outcome in Outcome
        }
        self._buckets = [0] * len(BOUNDS)
        self._exemplars = [""] * len(BOUNDS)
        self._seconds = 0.0
        self.late = 0

    def ended(self, exchange: Exchange, outcome: Outcome, seconds: float, time: float) -> None:
        """A request has its outcome, at `time` in Unix seconds and `seconds` after it was due."""
        self._requests[exchange.request.method, exchange.request.route, exchange.lane, outcome] += 1
        if outcome not in WHOLE or exchange.lane is Lane.LONG:
            return
        bucket = bisect_left(BUCKETS, seconds)
        self._buckets[bucket] += 1
        self._seconds += seconds
        if trace := exchange.trace:
            labels = f'trace_id="{trace}",span_id="{span_of(trace)}"'
            self._exemplars[bucket] = f" # {{{labels}}} {seconds:.6f} {time:.3f}"

    def text(self, openmetrics: bool = False) -> str:
        """The samples. OpenMetrics names a counter without its suffix, has exemplars, and ends with a marker."""
        lines = [*self._counters(openmetrics), *self._histogram(openmetrics), *(["# EOF"] if openmetrics else [])]
        return "\n".join(lines) + "\n"

    def _counters(self, openmetrics: bool) -> Iterator[str]:
        suffix = "" if openmetrics else "_total"
        yield f"# HELP client_requests{suffix} Requests sent, by outcome."
        yield f"# TYPE client_requests{suffix} counter"
        for (method, route, lane, outcome), count in self._requests.items():
            labels = f'outcome="{outcome}",method="{method}",route={_quoted(route)},lane="{lane}"'
            yield f"client_requests_total{{{labels}}} {count}"
        yield f"# HELP client_late_starts{suffix} Requests that the judge started later than it should."
        yield f"# TYPE client_late_starts{suffix} counter"
        yield f"client_late_starts_total {self.late}"

    def _histogram(self, openmetrics: bool) -> Iterator[str]:
        yield f"# HELP {SECONDS} Seconds from when a request was due to the end of its whole answer, without long ones."
        yield f"# TYPE {SECONDS} histogram"
        for bound, count, exemplar in zip(BOUNDS, accumulate(self._buckets), self._exemplars, strict=True):
            yield f'{SECONDS}_bucket{{le="{bound}"}} {count}{exemplar if openmetrics else ""}'
        yield f"{SECONDS}_count {sum(self._buckets)}"
        yield f"{SECONDS}_sum {self._seconds:.6f}"


def _lanes(plan: Plan, request: Request) -> Iterator[Lane]:
    """The lanes that can send a request."""
    yield from (Lane.FRESH, Lane.KEPT)
    if plan.long_rate and request.body:
        yield Lane.LONG
    if request is plan.reading:
        yield Lane.PROBE
        if plan.idle_lane:
            yield Lane.IDLE


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'"{escaped}"'
