"""The findings of the judge's probes: a failure concerns one connection, or the whole service.

A probe is due at the end of the failed request. The columns are rounded to a microsecond, so the two times differ by at
most 2 µs. The judge needs longer than that to record a request: no other failure ends within them.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from drydock.judge.exchange import Lane
from drydock.requests.records import Record

# Three rounded columns, and Unix seconds as a float.
ROUNDING_SECONDS = 2.5e-6
STALLED_SECONDS = 1.0


class Finding(StrEnum):
    """The result of a probe."""

    RESET = "reset"
    STALLED = "stalled"
    OUTAGE = "outage"


MEANINGS = {
    Finding.RESET: "only that connection",
    Finding.STALLED: f"the service took over {STALLED_SECONDS:g} s",
    Finding.OUTAGE: "the probe was lost too",
}


@dataclass(frozen=True)
class Probes:
    """`failed` requests on reused connections got no complete response. `findings` counts those of the probes."""

    failed: int
    findings: Counter[Finding]

    @classmethod
    def among(cls, records: Sequence[Record]) -> Self:
        """The probes of a run."""
        failed = [record for record in records if _failed_on_reused(record)]
        return cls(len(failed), Counter(finding(probe) for _, probe in pairs(records)))

    @property
    def sentence(self) -> str:
        """The findings for a reader."""
        found = ", ".join(f"{self.findings[it]:,} {it} ({MEANINGS[it]})" for it in Finding if self.findings[it])
        probed = f"{self.findings.total():,} of the {self.failed:,} failures on reused connections"
        return f"A probe on a new connection followed {probed}" + (f": {found}." if found else ".")


def pairs(records: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    """Each probe, after the failed request that it followed."""
    failed = sorted((it for it in records if _failed_on_reused(it)), key=lambda record: record.ended)
    ends = [record.ended for record in failed]
    for probe in records:
        if probe.lane == Lane.PROBE:
            first = bisect_left(ends, probe.intended - ROUNDING_SECONDS)
            if first < len(ends) and ends[first] <= probe.intended + ROUNDING_SECONDS:
                yield failed[first], probe


def finding(probe: Record) -> Finding:
    """What a probe found."""
    if probe.lost:
        return Finding.OUTAGE
    return Finding.RESET if probe.seconds <= STALLED_SECONDS else Finding.STALLED


def _failed_on_reused(record: Record) -> bool:
    return record.position > 0 and not record.whole
