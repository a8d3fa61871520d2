"""The counts of a run of the judge, in lines for a person. Each request counts once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from drydock.judge.ledger import LATE_SECONDS
from drydock.judge_client import start_delay
from drydock.judge_client.progress_sample import ProgressSample
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.requests.statistics import QUANTILES, milliseconds, percentile
from drydock.runs.folder import RunFolder

# Above this share of late starts the figures are the judge's own, and not the service's.
MANY = 0.01


@dataclass(frozen=True)
class Account:
    """`planned` requests in `seconds`, of which `records` were sent; `late` started over `late_ms` after they were due.

    `lost_spans` did not reach the collector.
    """

    planned: int
    seconds: float
    records: Sequence[Record]
    late: int
    late_ms: float
    lost_spans: int = 0

    @classmethod
    def read(cls, folder: RunFolder, planned: int) -> Self:
        """Reads the files of the judge in a folder. Raises CannotRunError without them."""
        summary = folder.read_json(start_delay.FILE)
        late, late_ms, lost_spans = summary["late"], summary["late_over_ms"], summary.get("lost_spans", 0)
        return cls(planned, summary["seconds"], folder.records(), late, late_ms, lost_spans)

    @property
    def lost(self) -> int:
        """The number of requests without a 2xx response."""
        return sum(record.lost for record in self.records)

    def verdict(self) -> str:
        """The number of lost requests, by outcome."""
        counts = Counter(record.outcome for record in self.records if record.lost)
        outcomes = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in Outcome if counts[outcome])
        return f"{self.lost:,} of {len(self.records):,} requests were lost: {outcomes}"

    def lines(self) -> Iterator[str]:
        """The run in a few lines."""
        for name, text in self._parts():
            yield f"{name:<8}  {text}"

    def _parts(self) -> Iterator[tuple[str, str]]:
        sent = len(self.records)
        rate = sent / self.seconds if self.seconds else 0
        yield "sent", f"{sent:,} of {self.planned:,} in {self.seconds:.1f} s, {rate:.1f} a second"
        if self.late:
            yield "late", late(self.late, sent, self.late_ms)
        yield "outcomes", outcomes(Counter(record.outcome for record in self.records))
        if times := sorted(record.seconds for record in self.records if record.whole):
            shares = ", ".join(f"p{share} {milliseconds(percentile(times, share))} ms" for share in QUANTILES)
            yield "latency", f"{shares}, from the intended start, of the {len(times):,} answered"
        pods = Counter(record.pod for record in self.records if record.pod)
        for pod, count in sorted(pods.items()):
            yield "pod", f"{pod} answered {count:,} ({count / pods.total():.0%})"
        if self.lost_spans:
            yield "spans", f"{self.lost_spans:,} did not reach the collector"
        yield "lost", f"{self.lost:,}" if self.lost else "none"


def progress(sample: ProgressSample, planned: int) -> str:
    """A run that goes on, in one line."""
    counts = Counter({Outcome(name): count for name, count in sample.outcomes.items()})
    behind = f"  {late(sample.late, sample.sent)}" if sample.late else ""
    return f"{sample.sent:,} of {planned:,} sent  {outcomes(counts)}{behind}"


def outcomes(counts: Counter[Outcome]) -> str:
    """The number of requests of each outcome that occurred; `ok` is always included."""
    return "  ".join(f"{it} {counts[it]:,}" for it in Outcome if counts[it] or it is Outcome.OK)


def late(count: int, sent: int, late_ms: float = LATE_SECONDS * 1000) -> str:
    """The number of requests that started late, with a warning above the limit."""
    behind = ": the judge does not keep up" if count > sent * MANY else ""
    return f"{count:,} started over {late_ms:.0f} ms late{behind}"
