"""The account of one run, and the verdict on it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from drydock.analysis.audit import AuditResult
from drydock.analysis.causes import Cause, Loss, losses
from drydock.analysis.evidence import Evidence
from drydock.analysis.objectives import Promise
from drydock.analysis.pod_terminations import Departure, departures
from drydock.judge_client.start_delay import Lateness
from drydock.requests.outcome import Outcome
from drydock.runs.verdict import Check, Verdict

FILE = "account.json"
# How late the 99th percentile of the starts may be: a tenth of the shortest time that a drill is about, the 1 s for
# which kube-proxy gathers changes (minSyncPeriod, by default). A judge that is later was not there when it mattered.
LATEST_START_MS = 100.0


@dataclass(frozen=True)
class Account:
    """All that is known of one run. `extra` are the checks of the drill's own; `least` requests make it count."""

    name: str
    title: str
    hypothesis: str
    evidence: Evidence
    promise: Promise
    findings: AuditResult
    lateness: Lateness
    least: int
    extra: Sequence[Check] = ()

    @cached_property
    def departures(self) -> list[Departure]:
        """The pods that ended, and the containers that were started again."""
        return departures(self.evidence)

    @cached_property
    def losses(self) -> list[Loss]:
        """Every request that was not answered well, with its cause."""
        return losses(self.evidence, self.departures, self.promise.allowed)

    @property
    def lost(self) -> list[Loss]:
        """Those that the hypothesis does not expect."""
        return [loss for loss in self.losses if not loss.allowed]

    @property
    def causes(self) -> Counter[Cause]:
        """How many of all losses had which cause."""
        return Counter(loss.cause for loss in self.losses)

    @property
    def outcomes(self) -> Counter[tuple[str, Outcome]]:
        """How many requests of each lane came to which outcome."""
        return Counter((record.lane, record.outcome) for record in self.evidence.records)

    def verdict(self) -> Verdict:
        """Every check, and the figures of the run."""
        checks = [*self._requests(), *self._pods(), *self.extra, *self.findings.checks(), self._kept_up()]
        return Verdict(self.name, "drill", self._summary(checks), checks, self._figures())

    def as_json(self) -> dict[str, Any]:
        """The content of account.json."""
        return {
            "name": self.name,
            "drill": self.title,
            "hypothesis": self.hypothesis,
            "sent": len(self.evidence.records),
            "lost": len(self.lost),
            "outcomes": {f"{lane} {outcome}": count for (lane, outcome), count in sorted(self.outcomes.items())},
            "causes": dict(self.causes.most_common()),
            "departures": [asdict(departure) for departure in self.departures],
            "losses": [{**asdict(loss.record), "cause": loss.cause, "allowed": loss.allowed} for loss in self.losses],
        }

    def said_causes(self, losses: Sequence[Loss]) -> str:
        """`31 cut in flight, 2 unknown`, the most frequent first; empty without any."""
        by = Counter(loss.cause for loss in losses)
        return ", ".join(f"{count:,} {cause}" for cause, count in by.most_common())

    def _requests(self) -> Iterator[Check]:
        sent, lost, allowed = len(self.evidence.records), len(self.lost), len(self.losses) - len(self.lost)
        causes = self.said_causes(self.lost)
        observed = f"{lost:,} of {sent:,}" + (f": {causes}" if causes else "")
        expected = f"at most {self.promise.lost:,}" if self.promise.lost else "0"
        if self.promise.allowed:
            names = ", ".join(sorted(self.promise.allowed))
            expected += f", beside {names} while it lasts"
            observed += f"; {allowed:,} beside"
        yield Check("requests lost", lost <= self.promise.lost and sent > 0, expected, observed)
        yield Check("enough requests", sent >= self.least, f"at least {self.least:,}", f"{sent:,}")
        recovered, over = self.evidence.recovered, self.evidence.over
        observed = "not seen" if recovered is None else f"{recovered - over:.1f} s after the action"
        yield Check("the service is as it was", recovered is not None, "seen", observed)
        if (limit := self.promise.recovery_seconds) is not None:
            last = max((loss.record.ended for loss in self.losses), default=over)
            yield Check(
                "all is answered again", last - over <= limit, f"within {limit:g} s", f"{max(0.0, last - over):.1f} s"
            )

    def _pods(self) -> Iterator[Check]:
        restarts, most = self.evidence.restarts, self.promise.restarts
        yield Check("restarts of containers", restarts <= most, f"at most {most}" if most else "0", str(restarts))
        deleted = [departure for departure in self.departures if not departure.restarted]
        if not deleted:
            return
        killed = [departure.pod for departure in deleted if departure.killed]
        codes = ", ".join(str(departure.exit_code) for departure in deleted)
        yield Check(
            "deleted pods end by themselves",
            self.promise.kills or not killed,
            "no SIGKILL (exit code 137)",
            f"exit codes {codes}" + (f": {', '.join(killed)} killed" if killed else ""),
        )
        over = [it for it in deleted if it.seconds is not None and it.grace is not None and it.seconds > it.grace]
        said = ", ".join(f"{it.seconds:.1f} of {it.grace:g} s" for it in deleted if it.seconds and it.grace)
        yield Check(
            "the grace period suffices", self.promise.kills or not over, "every pod within it", said or "not seen"
        )

    def _kept_up(self) -> Check:
        it = self.lateness
        observed = f"within {it.p99_ms:.1f} ms; {it.late:,} of {it.sent:,} over 20 ms late"
        expected = f"99 % started within {LATEST_START_MS:.0f} ms of their time"
        return Check("the judge kept up", it.sent > 0 and it.p99_ms <= LATEST_START_MS, expected, observed)

    def _figures(self) -> dict[str, float]:
        evidence = self.evidence
        counts = Counter(record.outcome for record in evidence.records)
        slowest = max((it.seconds for it in self.departures if it.seconds is not None), default=0.0)
        return {
            "sent": len(evidence.records),
            "lost": len(self.lost),
            "allowed": len(self.losses) - len(self.lost),
            **{f"outcome_{outcome}": counts[outcome] for outcome in Outcome if counts[outcome]},
            "requests_per_second": round(len(evidence.records) / max(evidence.ended - evidence.began, 1), 1),
            "action_s": round(evidence.over - evidence.acted, 1),
            **({"recovery_s": round(evidence.recovered - evidence.over, 1)} if evidence.recovered else {}),
            "seconds": round(evidence.ended - evidence.began, 1),
            "departures": len(self.departures),
            "slowest_shutdown_s": round(slowest, 1),
            "restarts": evidence.restarts,
            "late": self.lateness.late,
            "start_error_p99_ms": self.lateness.p99_ms,
            "clocks_apart_s": round(evidence.clocks_apart, 3),
            **self.findings.violations,
            **self.findings.figures,
        }

    def _summary(self, checks: Sequence[Check]) -> str:
        failed = [check.name for check in checks if not check.passed]
        causes = self.said_causes(self.losses)
        allowed = len(self.losses) - len(self.lost)
        return (
            f"{len(self.lost):,} of {len(self.evidence.records):,} requests lost"
            + (f", {allowed:,} not answered as the hypothesis expects" if allowed else "")
            + (f" ({causes})" if causes else "")
            + (f"; failed: {', '.join(failed)}" if failed else "")
        )
