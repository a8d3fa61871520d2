"""Where a shutdown drill stands: what it has seen, and what it waits for."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from drydock.analysis.evidence import Evidence
from drydock.core.console import Step
from drydock.core.errors import CannotRunError
from drydock.core.project import Disruptions
from drydock.drills.experiment import Experiment
from drydock.judge_client.clock_skew import ClockSkew
from drydock.judge_client.progress_sample import ProgressSample
from drydock.load.live_load import LiveLoad
from drydock.manifests import patches
from drydock.requests.records import Record
from drydock.targets.target import Target
from drydock.timeline.history import at

NOW = float("inf")
# How long the service must answer everything again before the drill ends.
QUIET_SECONDS = 5.0


@dataclass
class DrillRun[T: Target]:
    """One run, from the judge's first request to its last. Times are Unix seconds."""

    experiment: Experiment[T]
    live: LiveLoad[ProgressSample]
    settings: Disruptions
    started: float = 0.0
    action_started: float = 0.0
    action_ended: float = 0.0
    recovered_at: float | None = None
    pods: frozenset[str] = frozenset()
    sample: ProgressSample | None = field(default=None, init=False)
    clock_skew: ClockSkew = field(default_factory=ClockSkew, init=False)
    _lost_before: int = field(default=0, init=False)
    _progress: Step | None = field(default=None, init=False)

    @property
    def target(self) -> T:
        """What it is done to."""
        return self.experiment.target

    @property
    def ready(self) -> frozenset[str]:
        """The pods that new connections go to."""
        return at(self.experiment.history.endpoints(self.experiment.workload.service), NOW) or frozenset()

    @property
    def existing(self) -> frozenset[str]:
        """The pods that are there, those that are ending included."""
        return at(self.experiment.history.existing(self.experiment.workload.deployment), NOW) or frozenset()

    @property
    def chosen_pod(self) -> str:
        """One of those that were ready when the action began."""
        return min(self.pods)

    @property
    def gone(self) -> frozenset[str]:
        """Those of the pods before the action that are no more."""
        return self.pods - self.existing

    @property
    def all_pods_restored(self) -> bool:
        """Whether as many pods as before are ready, and no other is there."""
        return self.ready == self.existing and len(self.ready) == len(self.pods)

    def restarts(self, pod: str | None = None) -> int:
        """How often containers were started again, of one pod or of all, since the timeline began."""
        return self.experiment.history.container_restarts(self.experiment.workload.deployment, pod)

    @property
    def answers_everything(self) -> bool:
        """Whether the last second had nothing but good answers."""
        return self.sample is not None and self._lost_before == self.sample.lost

    def release(self, name: str) -> None:
        """Rolls a variant of the service out; the drill puts back what was there."""
        patch = patches.variant(self.experiment.project, name)
        self.experiment.changes.apply(f"the release {name}", lambda: self.target.apply(patch), self.target.restore)

    def seconds_until_shed(self, evidence: Evidence, pod: str) -> float | None:
        """From the action until no new connection went to a pod; None where that never came."""
        endpoints = evidence.history.endpoints(evidence.workload.service)
        return next(
            (t - self.action_started for t, pods in endpoints if t > self.action_started and pod not in pods), None
        )

    def seconds_until_unhealthy(self, evidence: Evidence, pod: str) -> float | None:
        """From the action until the platform said that it ends a pod's container for its liveness; None where not."""
        events = (seen for seen in evidence.history.of("Event") if seen.state["about"] == f"Pod/{pod}")
        return next((it.arrived - self.action_started for it in events if it.state["reason"] == "Killing"), None)

    def fewest_ready(self, evidence: Evidence) -> int:
        """The fewest pods that were ready from the action on."""
        endpoints = evidence.history.endpoints(evidence.workload.service)
        return min((len(pods) for time, pods in endpoints if time > self.action_started), default=len(self.pods))

    def steady(self, progress: Step) -> None:
        """Waits until all was answered for the time that a steady state takes.

        Raises:
            CannotRunError: a request is lost, or the judge's clock is not this machine's.
        """

        def held(sample: ProgressSample) -> bool:
            self.started = self.started or sample.time - 1
            self._show(sample, progress)
            if sample.lost:
                raise CannotRunError(f"the steady state does not hold: {progress.detail}", "drydock status; run again.")
            return sample.time - self.started >= self.settings.steady_seconds

        if not self.live.until(held):
            raise CannotRunError("the judge ended before the steady state was seen", "See its log: judge.json")
        self.clock_skew.refuse()

    def start_action(self, progress: Step) -> None:
        """The action begins."""
        self._progress = progress
        self.pods = frozenset(self.target.ready_pods())
        self.action_started = time.time()

    def end_action(self) -> None:
        """The action is over."""
        self.action_ended = time.time()

    def wait(self, what: str, condition: Callable[[], bool], seconds: float) -> bool:
        """Waits within the action, for `seconds` at the most; whether it came to that."""
        deadline = time.time() + seconds
        came = False

        def look(sample: ProgressSample) -> bool:
            nonlocal came
            if self._progress:
                self._show(sample, self._progress, f"waits for {what}")
            came = condition()
            return came or time.time() >= deadline

        if not condition():
            self.live.until(look)
            return came
        return True

    def recover(self, progress: Step, recovered: Callable[[], bool]) -> None:
        """Waits until the service is as it was, or the time for that is over: then it has not recovered."""
        deadline = self.action_ended + self.settings.recovery_seconds

        def look(sample: ProgressSample) -> bool:
            self._show(sample, progress)
            if recovered():
                self.recovered_at = time.time()
            return self.recovered_at is not None or sample.time >= deadline

        self.live.until(look)
        if self.recovered_at is None:
            progress.detail += f"; not within {self.settings.recovery_seconds:g} s"

    def complete(self, progress: Step, least: int) -> None:
        """Goes on until enough requests were sent, and a little longer than the recovery."""
        until = time.time() + QUIET_SECONDS

        def look(sample: ProgressSample) -> bool:
            self._show(sample, progress)
            return sample.sent >= least and sample.time >= until

        self.live.until(look)

    def evidence(self, records: Sequence[Record]) -> Evidence:
        """All that was seen."""
        experiment = self.experiment
        return Evidence(
            workload=experiment.workload,
            history=experiment.history,
            records=records,
            started=records[0].intended if records else self.started,
            action_started=self.action_started,
            action_ended=self.action_ended,
            recovered_at=self.recovered_at,
            ended=max((record.ended for record in records), default=self.action_ended),
            clock_skew=self.clock_skew.seconds,
        )

    def _show(self, sample: ProgressSample, progress: Step, more: str = "") -> None:
        self._lost_before = self.sample.lost if self.sample else 0
        self.sample = sample
        self.clock_skew.heard(sample)
        lost = f", {sample.lost:,} not ok" if sample.lost else ""
        pods = f"{len(self.ready)} of {len(self.existing)} pods ready"
        progress.detail = f"{sample.sent:,} sent, {sample.rate:.0f}/s, p95 {sample.p95_ms:.0f} ms{lost}; {pods}"
        if more:
            progress.detail += f"; {more}"
