"""The analysis of the scaling drill, and its verdict."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drydock.analysis.audit import AuditResult
from drydock.analysis.scaling import marks, shares
from drydock.analysis.scaling.marks import Mark
from drydock.analysis.scaling.scaling_evidence import ScalingEvidence
from drydock.analysis.timeline_check import complete
from drydock.core.project import ScaleDrill
from drydock.requests.records import Record
from drydock.requests.statistics import in_words
from drydock.requests.windows import latency
from drydock.runs.verdict import Check, Verdict, amiss
from drydock.timeline.history import at


@dataclass(frozen=True)
class ScalingAnalysis:
    """One run: its evidence, its objectives and its audit."""

    name: str
    evidence: ScalingEvidence
    objectives: ScaleDrill
    audit: AuditResult

    @property
    def marks(self) -> list[Mark]:
        return marks.read(self.evidence, self.objectives.p95_seconds)

    def seconds(self, mark: str) -> float | None:
        """The time of a mark, in seconds since the step."""
        return next(it.seconds for it in self.marks if it.name == mark)

    def verdict(self) -> Verdict:
        """All checks, and the figures of the run."""
        checks = [
            self._clock(),
            self._lost(),
            self._reached(),
            self._in_time(),
            self._back_in_time(),
            self._spread(),
            *self._flapping(),
            *self.audit.checks(),
            complete(self.evidence.history),
        ]
        return Verdict(self.name, "drill", self._summary(checks), checks, self._figures(), tuple(self._warnings()))

    def _clock(self) -> Check:
        missing = [f"{mark.title} ({mark.note})" for mark in self.marks if mark.missing]
        required = sum(mark.required for mark in self.marks)
        observed = f"missing: {'; '.join(missing)}" if missing else f"all {required}"
        return Check("every mark is reached", not missing, f"all {required} marks", observed)

    def _lost(self) -> Check:
        lost = [record for record in self.evidence.records if record.lost]
        sent = len(self.evidence.records)
        by = Counter(f"{record.outcome} {phase(self.evidence, record)}" for record in lost)
        counts = ", ".join(f"{count} {kind}" for kind, count in by.most_common())
        observed = f"{len(lost):,} of {sent:,}" + (f": {counts}" if counts else "")
        return Check("no request is lost", not lost and sent > 0, "0 during scale-out and scale-in", observed)

    def _reached(self) -> Check:
        found = self.evidence
        before = at(found.endpoints, found.step) or frozenset()
        under_load = (pods for time, pods in found.endpoints if found.step < time <= found.off)
        most = max(len(pods) for pods in (before, *under_load))
        wanted = self.objectives.pods
        return Check("enough pods are ready under load", most >= wanted, f"at least {wanted}", str(most))

    def _in_time(self) -> Check:
        seconds, limit = self.seconds(marks.READY), self.objectives.first_ready_seconds
        passed = seconds is not None and seconds <= limit
        expected = f"at most {limit:g} s; the target is {self.objectives.first_ready_target_seconds:g} s"
        return Check("the first new pod is ready in time", passed, expected, _in_words(seconds))

    def _back_in_time(self) -> Check:
        back, off, limit = self.seconds(marks.AT_MINIMUM), self.seconds(marks.LOAD_OFF), self.objectives.back_seconds
        took = None if back is None or off is None else back - off
        passed = took is not None and took <= limit
        return Check(
            "the pods are back at the minimum in time", passed, f"at most {limit:g} s after load off", _in_words(took)
        )

    def _spread(self) -> Check:
        band = self.objectives.share_band
        expected = f"each pod has {1 - band:.2f} to {1 + band:.2f} of its fair share"
        spread = shares.at_the_top(self.evidence)
        if spread is None:
            observed = f"no {shares.SHORTEST_SECONDS:g} s under load with one set of ready pods"
            return Check("the ready pods share the load", None, expected, observed)
        found = sorted(spread.shares.values())
        passed = all(abs(share - 1) <= band for share in found)
        observed = f"{found[0]:.2f} to {found[-1]:.2f} over {len(found)} pods"
        return Check("the ready pods share the load", passed, expected, observed)

    def _flapping(self) -> Iterator[Check]:
        """Flapping: the desired replicas fall under load, or rise after its end."""
        evidence = self.evidence
        changes = [
            (time, before, count)
            for (_, before), (time, count) in zip(evidence.desired, evidence.desired[1:], strict=False)
        ]
        down = [it for it in changes if evidence.step < it[0] <= evidence.off and it[2] < it[1]]
        up = [it for it in changes if it[0] > evidence.off and it[2] > it[1]]
        yield Check("the desired replicas never fall under load", not down, "0 times", self._turns(down))
        yield Check("the desired replicas never rise after load off", not up, "0 times", self._turns(up))

    def _turns(self, changes: Sequence[tuple[float, int, int]]) -> str:
        turns = [f"{before} to {count} at {time - self.evidence.step:.0f} s" for time, before, count in changes]
        return f"{len(turns)} times" + (f": {', '.join(turns)}" if turns else "")

    def _figures(self) -> dict[str, float]:
        records = self.evidence.records
        marks = {mark.name: mark.seconds for mark in self.marks if mark.seconds is not None}
        step = [it for it in records if phase(self.evidence, it) == "under load"]
        return {
            **{f"{name}_s": seconds for name, seconds in marks.items()},
            "sent": len(records),
            "lost": sum(record.lost for record in records),
            "requests_per_second_under_load": round(len(step) / max(self._loaded_seconds(), 1), 1),
            "p95_under_load_ms": latency(step, 95, self.evidence.route) or 0.0,
            "pods_wanted": self.evidence.wanted,
            **self.audit.known,
        }

    def _loaded_seconds(self) -> float:
        return (self.evidence.load_off or self.evidence.step) - self.evidence.step

    def _summary(self, checks: Sequence[Check]) -> str:
        figures = self._figures()
        seconds = self.seconds(marks.READY)
        ready = "no new pod ready" if seconds is None else f"the first new pod ready after {_in_words(seconds)}"
        return (
            f"{self.evidence.wanted} pods desired, {ready}; {in_words(int(figures['lost']), int(figures['sent']))}"
            + amiss(checks)
        )

    def _warnings(self) -> Iterator[str]:
        seconds, target = self.seconds(marks.READY), self.objectives.first_ready_target_seconds
        if seconds is not None and seconds > target:
            yield f"The first new pod was ready after {seconds:.1f} s; the target is {target:g} s."
        if restarts := len(self.evidence.history.restarts):
            yield f"The watch restarted {restarts} times: marks at these times may be late."


def phase(evidence: ScalingEvidence, record: Record) -> str:
    """The part of the drill in which a request was sent."""
    if record.started < evidence.step:
        return "in the steady state"
    return "under load" if record.started <= evidence.off else "after load off"


def _in_words(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
