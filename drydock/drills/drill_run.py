"""The progress of a shutdown drill: its observations, and the conditions that it waits for."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from drydock.analysis.evidence import Evidence
from drydock.core.console import Step, step
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
# The drill ends after the service has answered every request for this long.
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
        return self.experiment.target

    @property
    def ready(self) -> frozenset[str]:
        """The pods that receive new connections."""
        return at(self.experiment.history.endpoints(self.experiment.workload.service), NOW) or frozenset()

    @property
    def existing(self) -> frozenset[str]:
        """The pods that exist, including terminating ones."""
        return at(self.experiment.history.existing(self.experiment.workload.deployment), NOW) or frozenset()

    @property
    def chosen_pod(self) -> str:
        """The pod that the drill disturbs: one of the ready pods at the start of the action."""
        return min(self.pods)

    @property
    def gone(self) -> frozenset[str]:
        """The pods of before the action that no longer exist."""
        return self.pods - self.existing

    @property
    def all_pods_restored(self) -> bool:
        """Whether as many pods as before are ready and no other pod exists."""
        return self.ready == self.existing and len(self.ready) == len(self.pods)

    def restarts(self, pod: str | None = None) -> int:
        """The container restarts of one pod, or of all, since the timeline began."""
        return self.experiment.history.container_restarts(self.experiment.workload.deployment, pod)

    @property
    def answers_everything(self) -> bool:
        """Whether the last second had no loss, and the requests in flight are at most those of one second."""
        if self.sample is None or self.sample.lost != self._lost_before:
            return False
        return self.sample.in_flight <= self.settings.rate

    def release(self, name: str) -> None:
        """Rolls out a variant of the service; the end of the drill restores the previous release."""
        with step(f"release {name}"):
            self.target.apply(patches.variant(self.experiment.project, name))

    def seconds_until_shed(self, evidence: Evidence, pod: str) -> float | None:
        """Seconds from the action until the Service removed a pod; None if it never did."""
        endpoints = evidence.history.endpoints(evidence.workload.service)
        return next(
            (t - self.action_started for t, pods in endpoints if t > self.action_started and pod not in pods), None
        )

    def seconds_until_unhealthy(self, evidence: Evidence, pod: str) -> float | None:
        """Seconds from the action until liveness killed a container of a pod; None if it never did."""
        events = (seen for seen in evidence.history.of("Event") if seen.state["about"] == f"Pod/{pod}")
        return next((it.arrived - self.action_started for it in events if it.state["reason"] == "Killing"), None)

    def fewest_ready(self, evidence: Evidence) -> int:
        """The lowest number of ready pods since the action."""
        endpoints = evidence.history.endpoints(evidence.workload.service)
        return min((len(pods) for time, pods in endpoints if time > self.action_started), default=len(self.pods))

    def steady(self, progress: Step) -> None:
        """Waits for `steady_seconds` in which every request succeeds.

        Raises:
            CannotRunError: a request is lost, or the clocks of judge and timeline differ.
        """

        def held(sample: ProgressSample) -> bool:
            self.started = self.started or sample.time - 1
            self._show(sample, progress)
            if sample.lost:
                raise CannotRunError(f"the steady state does not hold: {progress.detail}", "drydock status; run again.")
            return sample.time - self.started >= self.settings.steady_seconds

        if not self.live.until(held):
            raise CannotRunError("the judge ended before the steady state held", "Read its summary: judge.json")
        self.clock_skew.refuse()

    def start_action(self, progress: Step) -> None:
        self._progress = progress
        self.pods = frozenset(self.target.ready_pods())
        self.action_started = time.time()

    def end_action(self) -> None:
        self.action_ended = time.time()

    def wait(self, name: str, condition: Callable[[], bool], seconds: float) -> bool:
        """Waits up to `seconds` for a condition within the action. Returns whether it came true."""
        deadline = time.time() + seconds
        came = False

        def look(sample: ProgressSample) -> bool:
            nonlocal came
            if self._progress:
                self._show(sample, self._progress, f"waiting for {name}")
            came = condition()
            return came or time.time() >= deadline

        if not condition():
            self.live.until(look)
            return came
        return True

    def recover(self, progress: Step, recovered: Callable[[], bool]) -> None:
        """Waits up to `recovery_seconds` until the service has recovered."""
        deadline = self.action_ended + self.settings.recovery_seconds

        def look(sample: ProgressSample) -> bool:
            self._show(sample, progress)
            if recovered():
                self.recovered_at = time.time()
            return self.recovered_at is not None or sample.time >= deadline

        self.live.until(look)
        if self.recovered_at is None:
            progress.detail += f"; not recovered within {self.settings.recovery_seconds:g} s"

    def complete(self, progress: Step, least: int) -> None:
        """Continues until `least` requests were sent and QUIET_SECONDS passed without a loss."""
        quiet_since, deadline = time.time(), time.time() + self.settings.recovery_seconds

        def look(sample: ProgressSample) -> bool:
            nonlocal quiet_since
            self._show(sample, progress)
            if not self.answers_everything:
                quiet_since = sample.time
            quiet = sample.time - quiet_since >= QUIET_SECONDS
            return sample.sent >= least and (quiet or sample.time >= deadline)

        self.live.until(look)

    def evidence(self, records: Sequence[Record]) -> Evidence:
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
            routes=experiment.routes,
            clock_skew=self.clock_skew.seconds,
            pressure=experiment.machine.pressure,
        )

    def _show(self, sample: ProgressSample, progress: Step, more: str = "") -> None:
        self._lost_before = self.sample.lost if self.sample else 0
        self.sample = sample
        self.clock_skew.heard(sample)
        lost = f", {sample.lost:,} not ok" if sample.lost else ""
        lost += f", {sample.raced:,} met the server's keep-alive timeout" if sample.raced else ""
        pods = f"{len(self.ready)} of {len(self.existing)} pods ready"
        progress.detail = f"{sample.sent:,} sent, {sample.rate:.0f}/s, p95 {sample.p95_ms:.0f} ms{lost}; {pods}"
        if more:
            progress.detail += f"; {more}"
