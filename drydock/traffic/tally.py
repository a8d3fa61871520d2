"""The account of a run: each request counted once, then said in lines for a person and in one line for a program."""

import json
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import Any

from drydock.requests.outcome import WHOLE, Outcome
from drydock.requests.statistics import milliseconds, percentile
from drydock.traffic.client import Answer

# A request that starts later than this after its time is late. Many of them show that the client cannot keep up: its
# machine is too busy, or the rate too high.
LATE_SECONDS = 0.05
MANY = 0.01


class Tally:
    """Counts the requests of a run of `planned` requests."""

    def __init__(self, planned: int) -> None:
        self.planned = planned
        self.sent = 0
        self.late = 0
        self.seconds = 0.0
        self.outcomes: Counter[Outcome] = Counter()
        self.pods: Counter[str] = Counter()
        self._latencies = array("d")
        self._start_errors = array("d")

    @property
    def lost(self) -> int:
        """How many requests did not get the answer they asked for."""
        return self.outcomes.total() - self.outcomes[Outcome.OK]

    def started(self, error: float) -> bool:
        """Counts a start, `error` seconds after its time; returns whether that is late."""
        self.sent += 1
        self._start_errors.append(error)
        late = error > LATE_SECONDS
        self.late += late
        return late

    def ended(self, answer: Answer, seconds: float) -> None:
        """Counts an end, `seconds` after the request's intended start."""
        self.outcomes[answer.outcome] += 1
        if answer.outcome in WHOLE:
            self._latencies.append(seconds)
        if answer.served_by:
            self.pods[answer.served_by] += 1

    def progress(self, elapsed: float) -> str:
        """One line on a run that goes on."""
        late = f"  {self._lateness()}" if self.late else ""
        return f"{elapsed:4.0f} s  {self.sent:,} of {self.planned:,} sent  {self._outcomes()}{late}"

    def summary(self) -> str:
        """The run in a few lines."""
        return "\n".join(f"{name:<8}  {text}" for name, text in self._lines())

    def machine_readable(self, scraped: bool) -> str:
        """The same as one JSON object; `scraped` is whether its end is in Prometheus too."""
        latencies, start_errors = sorted(self._latencies), sorted(self._start_errors)
        account: dict[str, Any] = {
            "planned": self.planned,
            "sent": self.sent,
            "lost": self.lost,
            "late": self.late,
            "seconds": round(self.seconds, 1),
            "outcomes": {str(outcome): self.outcomes[outcome] for outcome in Outcome},
            "latency_ms": {f"p{share}": milliseconds(percentile(latencies, share)) for share in (50, 95, 99)},
            "start_error_ms": {f"p{share}": milliseconds(percentile(start_errors, share)) for share in (50, 99, 100)},
            "pods": dict(sorted(self.pods.items())),
            "scraped": scraped,
        }
        return json.dumps(account)

    def _lines(self) -> Iterator[tuple[str, str]]:
        rate = self.sent / self.seconds if self.seconds else 0
        yield "sent", f"{self.sent:,} of {self.planned:,} in {self.seconds:.1f} s, {rate:.1f} a second"
        if self.late:
            yield "late", self._lateness()
        yield "outcomes", self._outcomes()
        if self._latencies:
            ordered = sorted(self._latencies)
            shares = ", ".join(f"p{share} {milliseconds(percentile(ordered, share))} ms" for share in (50, 95, 99))
            yield "latency", f"{shares}, from the intended start, of the {len(ordered):,} answered"
        answers = self.pods.total()
        for pod, count in sorted(self.pods.items()):
            yield "pod", f"{pod} answered {count:,} ({count / answers:.0%})"
        yield "lost", f"{self.lost:,}" if self.lost else "none"

    def _lateness(self) -> str:
        behind = ": this client does not keep up" if self.late > self.sent * MANY else ""
        return f"{self.late:,} started over {LATE_SECONDS * 1000:.0f} ms late{behind}"

    def _outcomes(self) -> str:
        seen = [outcome for outcome in Outcome if self.outcomes[outcome] or outcome is Outcome.OK]
        return "  ".join(f"{outcome} {self.outcomes[outcome]:,}" for outcome in seen)
