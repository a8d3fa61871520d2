"""The scaling drill: the load rises to four times the capacity of a pod, then falls, and no request is lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from drydock.analysis.scaling import marks
from drydock.analysis.scaling.scaling_analysis import ScalingAnalysis
from drydock.analysis.scaling.scaling_evidence import ScalingEvidence, Triggers
from drydock.core.console import Step, message, step
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import ScaleDrill
from drydock.drills import scale_configuration
from drydock.drills.experiment import Experiment
from drydock.load.live_load import LiveLoad, start
from drydock.load.locust_run import LoadRun, LoadSample
from drydock.report import scaling_page as pages
from drydock.requests.records import Record
from drydock.requests.windows import in_flight_above
from drydock.runs.verdict import Verdict
from drydock.targets.kind import KindTarget
from drydock.targets.workload import at_minimum, pods_now, wait_for_minimum, wait_for_sight

ON = "true"


@dataclass
class Scale:
    """One run. `cpu_only` removes the request rate from the autoscaler for the run."""

    objectives: ScaleDrill
    cpu_only: bool = False
    analysis: ScalingAnalysis | None = field(default=None, init=False)
    _triggers: Triggers = field(init=False)
    _shown_marks: set[str] = field(default_factory=set, init=False)
    _step: float = field(default=0.0, init=False)
    _load_off: float | None = field(default=None, init=False)
    hypothesis: str = (
        "When requests that wait for the database rise to four times the capacity of a pod, new pods take their share "
        "within 35 s. When the load stops, the autoscaler removes them. No request is lost on the way up or down."
    )

    @property
    def name(self) -> str:
        """The name of the run; the folder of the run ends with it."""
        return "scale-cpu-only" if self.cpu_only else "scale"

    def refuse(self, target: KindTarget) -> None:
        """Raises CannotRunError if the autoscaler has no metric values, or is not KEDA's."""
        wait_for_sight(target.platform)
        try:
            target.subject.scaled_object(self.objectives.scaled_object)
        except FailedError as error:
            reason = f"there is no ScaledObject {self.objectives.scaled_object}: nothing scales by request rate"
            raise CannotRunError(reason, "Deploy it: drydock up --mode parity, without `--without keda`") from error

    def prepare(self, experiment: Experiment[KindTarget]) -> None:
        """Enables the slow route, removes a trigger with `cpu_only`, and waits for the minimum of pods."""
        subject, objectives = experiment.target.subject, self.objectives
        triggers = subject.scaled_object(objectives.scaled_object)["spec"]["triggers"]
        self._triggers = named(triggers, objectives.rate_trigger)
        if self.cpu_only:
            cpu = [trigger for trigger in triggers if trigger["type"] == "cpu"]
            with step("scale by CPU alone"):
                subject.set_triggers(objectives.scaled_object, cpu)
        with step(f"set {objectives.faults_variable}={ON} on the service"):
            subject.set_variable(objectives.faults_variable, ON)
        with step("wait for the minimum of pods") as progress:
            wait_for_minimum(experiment.timeline, experiment.workload, progress)
        wait_for_sight(experiment.target.platform)

    def run(self, experiment: Experiment[KindTarget]) -> None:
        """Steady state, step, load off, scale-in."""
        load = LoadRun(experiment.target.platform, "step", self.objectives.load, name=experiment.folder.name)
        start(load, "load generator")
        with LiveLoad(load, experiment.folder.folder) as live:
            with experiment.part("steady state: light load, the minimum of pods") as progress:
                self._steady(experiment, live, progress)
            with experiment.part("action: four times the capacity of a pod") as progress:
                self._follow(experiment, live, progress, self._is_off)
            with experiment.part("recovery: load off, scale-in under light load") as progress:
                self._follow(experiment, live, progress, lambda _: self._is_back(experiment))
                live.stop()

    def decide(self, experiment: Experiment[KindTarget]) -> Verdict:
        """The verdict, from the records, the timeline and the audit."""
        sent = experiment.folder.records()
        found = experiment.target.audit(sent)
        self.analysis = ScalingAnalysis(self.name, self._evidence(experiment, sent), self.objectives, found)
        return self.analysis.verdict()

    def configuration(self, experiment: Experiment[KindTarget]) -> dict[str, Any]:
        """Versions, load, objectives and the autoscaler's timings."""
        return scale_configuration.described(experiment, self.objectives)

    def report(self, experiment: Experiment[KindTarget], verdict: Verdict) -> None:
        """Writes report.html."""
        if self.analysis:
            pages.write(experiment.folder, self.analysis, verdict)

    def _steady(self, experiment: Experiment[KindTarget], live: LiveLoad[LoadSample], progress: Step) -> None:
        """Reads samples until the step begins. Raises CannotRunError if the steady state does not hold until then."""

        def begins(sample: LoadSample) -> bool:
            if sample.users > self._users("base_users"):
                self._step = sample.time - 1  # users start at once; the sample is at most a second later
                return True
            progress.detail = self._now(experiment, sample)
            if sample.failed:
                raise CannotRunError(
                    f"the steady state does not hold: {_lost(sample)}", "drydock status; then run again."
                )
            desired = experiment.history.desired(experiment.workload.deployment)
            if desired[-1][1] > experiment.history.minimum(experiment.workload.deployment):
                reason = f"the steady state does not hold: {progress.detail}"
                raise CannotRunError(reason, "The light load alone triggers a scale-out: lower base_users.")
            return False

        if not live.until(begins):
            raise CannotRunError("the load ended before the step began", "Read the log of the load generator.")

    def _follow(
        self,
        experiment: Experiment[KindTarget],
        live: LiveLoad[LoadSample],
        progress: Step,
        reached: Callable[[LoadSample], bool],
    ) -> None:
        """Reads samples until one is `reached` or the load ends, and shows the progress."""

        def look(sample: LoadSample) -> bool:
            self._show(experiment, sample, progress)
            return reached(sample)

        live.until(look)

    def _show(self, experiment: Experiment[KindTarget], sample: LoadSample, progress: Step) -> None:
        """Shows the progress, and each mark once."""
        progress.detail = self._now(experiment, sample)
        if self._load_off is None and self._is_off(sample):
            self._load_off = sample.time
        for mark in marks.read(self._evidence(experiment, ()), self.objectives.p95_seconds):
            early = self._load_off is None and mark.name == marks.ALL_READY  # the autoscaler may want more
            if mark.seconds is not None and mark.name not in self._shown_marks and not early:
                self._shown_marks.add(mark.name)
                message(f"  {mark.seconds:6.1f} s  {mark.title}" + (f" ({mark.note})" if mark.note else ""))

    def _now(self, experiment: Experiment[KindTarget], sample: LoadSample) -> str:
        pods = pods_now(experiment.history, experiment.workload)
        lost = f", {_lost(sample)}" if sample.failed else ""
        return f"{sample.users} users, {sample.rate:.0f}/s, p95 {sample.p95_ms:.0f} ms; pods: {pods}{lost}"

    def _is_off(self, sample: LoadSample) -> bool:
        return sample.users <= self._users("after_users")

    def _is_back(self, experiment: Experiment[KindTarget]) -> bool:
        return at_minimum(experiment.history, experiment.workload)

    def _users(self, parameter: str) -> int:
        return int(self.objectives.load[parameter])

    def _evidence(self, experiment: Experiment[KindTarget], sent: Sequence[Record]) -> ScalingEvidence:
        """The evidence so far. With records, the step and the end of the load are read from the requests in flight."""
        began, off = self._step, self._load_off
        if sent and (loaded := in_flight_above(sent, max(self._users("base_users"), self._users("after_users")))):
            began, off = loaded
        return ScalingEvidence(
            experiment.workload,
            self._triggers,
            experiment.history,
            sent,
            self.objectives.route,
            experiment.began,
            began,
            off,
        )


def named(triggers: Sequence[Any], rate_trigger: str) -> Triggers:
    """The names of KEDA's triggers in the autoscaler: s1-prometheus is the second trigger, of type prometheus.

    Raises:
        CannotRunError: no trigger is named `rate_trigger`.
    """
    rates = [trigger for trigger in triggers if trigger.get("name") == rate_trigger]
    if not rates:
        raise CannotRunError(
            f"the ScaledObject has no trigger {rate_trigger!r}", "Correct drills.scale in drydock.toml."
        )
    titles = {
        f"s{number}-{trigger['type']}": trigger["name"]
        for number, trigger in enumerate(triggers)
        if trigger["type"] != "cpu" and "name" in trigger
    }
    return Triggers(titles, float(rates[0]["metadata"]["threshold"]))


def _lost(sample: LoadSample) -> str:
    lost = ", ".join(f"{count} {outcome}" for outcome, count in sample.outcomes.items() if count and outcome != "ok")
    return f"{sample.failed} of {sample.sent} lost ({lost})"
