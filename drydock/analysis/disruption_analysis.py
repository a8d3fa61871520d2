"""The analysis of a shutdown drill, and its verdict."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from drydock.analysis.arrivals import Arrivals, arrivals
from drydock.analysis.audit import AuditResult
from drydock.analysis.causes import Cause, Loss, losses
from drydock.analysis.chosen_pods import ChosenPods
from drydock.analysis.drill_objectives import DrillObjectives
from drydock.analysis.evidence import Evidence
from drydock.analysis.idle_pauses import IdlePauses
from drydock.analysis.pod_terminations import PodTermination, terminations
from drydock.analysis.probes import Probes
from drydock.analysis.starvation import Starvation
from drydock.analysis.timeline_check import complete
from drydock.judge_client.start_delay import StartDelay
from drydock.requests.outcome import Outcome
from drydock.requests.statistics import in_words
from drydock.runs.verdict import Check, Verdict, amiss

FILE = "analysis.json"
# The limit for the 99th percentile of the start delay: a tenth of the shortest interval that a drill measures, the 1 s
# for which kube-proxy collects changes (minSyncPeriod, by default). A later judge may have missed the disturbance, so
# its run is no evidence.
LATEST_START_MS = 100.0


@dataclass(frozen=True)
class Analysis:
    """One run. `extra` holds the drill's own checks; the verdict needs at least `least` requests."""

    name: str
    title: str
    hypothesis: str
    evidence: Evidence
    objectives: DrillObjectives
    audit: AuditResult
    start_delay: StartDelay
    least: int
    extra: Sequence[Check] = ()

    @cached_property
    def terminations(self) -> list[PodTermination]:
        """The deleted pods and the restarted containers."""
        return terminations(self.evidence)

    @cached_property
    def losses(self) -> list[Loss]:
        """Every lost request, with its cause."""
        return losses(self.evidence, self.terminations, self.chosen, self.objectives.allows)

    @cached_property
    def chosen(self) -> ChosenPods:
        """The pod that each request was sent to."""
        return ChosenPods(self.evidence.records, self.evidence.routes)

    @cached_property
    def arrivals(self) -> dict[str, Arrivals]:
        """For each deleted pod, the last requests that reached it."""
        return arrivals(self.terminations, self.evidence.records, self.chosen)

    @property
    def lost(self) -> list[Loss]:
        """The losses that the objectives do not allow."""
        return [loss for loss in self.losses if not loss.allowed]

    @cached_property
    def explained(self) -> list[Loss]:
        """The losses that the objectives do not allow, and that a machine without CPU explains."""
        starvation = Starvation(self.evidence.records)
        return [loss for loss in self.lost if starvation.explains(loss)]

    @property
    def causes(self) -> Counter[Cause]:
        """The number of losses by cause, allowed losses included."""
        return Counter(loss.cause for loss in self.losses)

    @cached_property
    def idle_pauses(self) -> IdlePauses:
        """The pauses of the lane idle."""
        return IdlePauses.among(self.evidence.records)

    @cached_property
    def probes(self) -> Probes:
        """The findings of the probes after failures on reused connections."""
        return Probes.among(self.evidence.records)

    @property
    def pressure(self) -> float | None:
        """The share of the run in which a task of this machine waited for a CPU; None if it was not observed."""
        return self.evidence.pressure.between(self.evidence.started, self.evidence.ended)

    @property
    def outcomes(self) -> Counter[tuple[str, Outcome]]:
        """The number of requests by lane and outcome."""
        return Counter((record.lane, record.outcome) for record in self.evidence.records)

    def verdict(self) -> Verdict:
        """All checks, and the figures of the run."""
        checks = [
            *self._requests(),
            *self._pods(),
            *self.extra,
            *self.audit.checks(),
            self._kept_up(),
            complete(self.evidence.history),
        ]
        return Verdict(self.name, "drill", self._summary(checks), checks, self._figures())

    def as_json(self) -> dict[str, Any]:
        """The content of analysis.json."""
        return {
            "name": self.name,
            "drill": self.title,
            "hypothesis": self.hypothesis,
            "sent": len(self.evidence.records),
            "lost": len(self.lost),
            "outcomes": {f"{lane} {outcome}": count for (lane, outcome), count in sorted(self.outcomes.items())},
            "causes": dict(self.causes.most_common()),
            "probes": dict(self.probes.findings),
            "terminations": [asdict(termination) for termination in self.terminations],
            "arrivals": {pod: it.as_json() for pod, it in self.arrivals.items()},
            "losses": [
                {**asdict(loss.record), "cause": loss.cause, "allowed": loss.allowed, "sent_to": loss.pod}
                for loss in self.losses
            ],
        }

    def count_causes(self, losses: Sequence[Loss]) -> str:
        """Such as `31 cut-in-flight, 2 unknown`, the most frequent first; empty without losses."""
        by = Counter(loss.cause for loss in losses)
        return ", ".join(f"{count:,} {cause}" for cause, count in by.most_common())

    def _requests(self) -> Iterator[Check]:
        sent, lost, allowed = len(self.evidence.records), len(self.lost), len(self.losses) - len(self.lost)
        causes, over = self.count_causes(self.lost), self.evidence.action_ended
        observed = f"{lost:,} of {sent:,}" + (f": {causes}" if causes else "")
        expected = f"at most {self.objectives.lost:,}" if self.objectives.lost else "0"
        if self.objectives.allowed:
            names = ", ".join(sorted(map(str, self.objectives.allowed)))
            expected += f", except {names} from the action on"
            observed += f"; {allowed:,} excepted"
        if self.explained:
            observed += f"; the machine was out of CPU during {len(self.explained):,} of them"
        yield Check("requests lost", self._few_lost(), expected, observed)
        if (limit := self.objectives.loss_seconds) is not None:
            latest = max((it.record.started for it in self.lost), default=over)
            observed = f"the last one {max(0.0, latest - over):.1f} s after it" if self.lost else "no loss"
            yield Check("the loss ends in time", latest - over <= limit, f"within {limit:g} s of the action", observed)
        yield Check("enough requests", sent >= self.least, f"at least {self.least:,}", f"{sent:,}")
        recovered = self.evidence.recovered_at
        observed = "not observed" if recovered is None else f"{recovered - over:.1f} s after the action"
        yield Check("the service has recovered", recovered is not None, "observed", observed)
        if (limit := self.objectives.recovery_seconds) is not None:
            last = max((loss.record.ended for loss in self.losses), default=over)
            yield Check(
                "every request succeeds again",
                last - over <= limit,
                f"within {limit:g} s",
                f"{max(0.0, last - over):.1f} s",
            )

    def _few_lost(self) -> bool | None:
        """None if only the losses that the machine explains exceed the objective."""
        lost, most = len(self.lost), self.objectives.lost
        if not self.evidence.records or lost - len(self.explained) > most:
            return False
        return True if lost <= most else None

    def _pods(self) -> Iterator[Check]:
        restarts, most = self.evidence.restarts, self.objectives.restarts
        yield Check("container restarts", restarts <= most, f"at most {most}" if most else "0", str(restarts))
        deleted = [termination for termination in self.terminations if not termination.restarted]
        if not deleted:
            return
        killed = [termination.pod for termination in deleted if termination.killed]
        unseen = [termination.pod for termination in deleted if termination.exit_code is None]
        codes = ", ".join(str(termination.exit_code) for termination in deleted)
        yield Check(
            "deleted pods exit without SIGKILL",
            self.objectives.kills or (False if killed else None if unseen else True),
            "no exit code 137",
            f"exit codes {codes}"
            + (f": {', '.join(killed)} killed" if killed else "")
            + (f"; not observed: {', '.join(unseen)}" if unseen else ""),
        )
        seen = [(it.seconds, it.grace) for it in deleted if it.seconds is not None and it.grace is not None]
        fits = all(seconds <= grace for seconds, grace in seen)
        yield Check(
            "the shutdown fits the grace period",
            self.objectives.kills or (False if not fits else None if len(seen) < len(deleted) else True),
            "every pod",
            ", ".join(f"{seconds:.1f} of {grace:g} s" for seconds, grace in seen)
            + (f"; not observed: {len(deleted) - len(seen)}" if len(seen) < len(deleted) else ""),
        )

    def _kept_up(self) -> Check:
        it = self.start_delay
        observed = f"99 % within {it.p99_ms:.1f} ms; {it.late:,} of {it.sent:,} more than {it.late_over_ms:g} ms late"
        expected = f"99 % of the requests start within {LATEST_START_MS:.0f} ms of their due time"
        if (pressure := self.pressure) is not None:
            observed += f"; tasks waited for a CPU {pressure:.0%} of the time"
        passed = True if it.sent > 0 and it.p99_ms <= LATEST_START_MS else None
        return Check("the judge kept up", passed, expected, observed)

    def _figures(self) -> dict[str, float]:
        evidence = self.evidence
        counts = Counter(record.outcome for record in evidence.records)
        slowest = max((it.seconds for it in self.terminations if it.seconds is not None), default=0.0)
        return {
            "sent": len(evidence.records),
            "lost": len(self.lost),
            "allowed": len(self.losses) - len(self.lost),
            **{f"outcome_{outcome}": counts[outcome] for outcome in Outcome if counts[outcome]},
            "requests_per_second": round(len(evidence.records) / max(evidence.ended - evidence.started, 1), 1),
            "action_s": round(evidence.action_ended - evidence.action_started, 1),
            **self._recovery(),
            "seconds": round(evidence.ended - evidence.started, 1),
            "terminations": len(self.terminations),
            "slowest_shutdown_s": round(slowest, 1),
            "restarts": evidence.restarts,
            "late": self.start_delay.late,
            "start_error_p99_ms": self.start_delay.p99_ms,
            "clock_skew_s": round(evidence.clock_skew, 3),
            **({} if self.pressure is None else {"cpu_pressure": round(self.pressure, 3)}),
            "lost_without_cpu": len(self.explained),
            **{f"probe_{finding}": count for finding, count in self.probes.findings.items()},
            **self.audit.known,
        }

    def _recovery(self) -> dict[str, float]:
        recovered, ended = self.evidence.recovered_at, self.evidence.action_ended
        return {} if recovered is None else {"recovery_s": round(recovered - ended, 1)}

    def _summary(self, checks: Sequence[Check]) -> str:
        causes = self.count_causes(self.losses)
        allowed = len(self.losses) - len(self.lost)
        return (
            in_words(len(self.lost), len(self.evidence.records))
            + (f", {allowed:,} lost as the hypothesis expects" if allowed else "")
            + (f" ({causes})" if causes else "")
            + amiss(checks)
        )
