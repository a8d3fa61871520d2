"""The scaling drill: load rises to four times what a pod can do, then goes. Do the pods follow, and lose nothing?"""

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
    """One run of it. `cpu_only` takes the request rate from the autoscaler for as long as it lasts."""

    objectives: ScaleDrill
    cpu_only: bool = False
    analysis: ScalingAnalysis | None = field(default=None, init=False)
    _triggers: Triggers = field(init=False)
    _shown_marks: set[str] = field(default_factory=set, init=False)
    _step: float = field(default=0.0, init=False)
    _load_off: float | None = field(default=None, init=False)
    hypothesis: str = (
        "When requests that wait for the database rise to four times what a pod can do, new pods take their share "
        "within 35 s; when the load goes, they go; and not one request or order is lost on the way up or down."
    )

    @property
    def name(self) -> str:
        """What its folder is called."""
        return "scale-cpu-only" if self.cpu_only else "scale"

    def refuse(self, target: KindTarget) -> None:
        """Raises CannotRunError where the autoscaler reads nothing, or is not KEDA's."""
        wait_for_sight(target.platform)
        try:
            target.subject.scaled_object(self.objectives.scaled_object)
        except FailedError as error:
            reason = f"there is no ScaledObject {self.objectives.scaled_object}: nothing scales by request rate"
            raise CannotRunError(reason, "Deploy it: drydock up --mode parity, without `--without keda`") from error

    def prepare(self, experiment: Experiment[KindTarget]) -> None:
        """Gives the service its slow route, takes a trigger away where asked to, and waits for the fewest pods."""
        subject, objectives = experiment.target.subject, self.objectives
        triggers = subject.scaled_object(objectives.scaled_object)["spec"]["triggers"]
        self._triggers = named(triggers, objectives.rate_trigger)
        if self.cpu_only:
            cpu = [trigger for trigger in triggers if trigger["type"] == "cpu"]
            experiment.changes.apply(
                "the autoscaler scales by CPU alone",
                lambda: subject.set_triggers(objectives.scaled_object, cpu),
                lambda: subject.set_triggers(objectives.scaled_object, triggers),
            )
        variable, before = objectives.faults_variable, subject.variable(objectives.faults_variable)
        experiment.changes.apply(
            f"{variable}={ON} on the service",
            lambda: subject.set_variable(variable, ON),
            lambda: subject.set_variable(variable, before),
        )
        with step("the fewest pods") as progress:
            wait_for_minimum(experiment.timeline, experiment.workload, progress)
        wait_for_sight(experiment.target.platform)

    def run(self, experiment: Experiment[KindTarget]) -> None:
        """Steady state, step, hold, load off, scale-in."""
        load = LoadRun(experiment.target.platform, "step", self.objectives.load, name=experiment.folder.name)
        start(load, "load generator")
        with LiveLoad(load, experiment.folder.folder) as live:
            with experiment.part("steady state: light load, the fewest pods") as progress:
                self._steady(experiment, live, progress)
            with experiment.part("action: the load is four times what a pod can do") as progress:
                self._follow(experiment, live, progress, self._is_off)
            with experiment.part("recovery: load off, pods go under light load") as progress:
                self._follow(experiment, live, progress, lambda _: self._is_back(experiment))
                live.stop()

    def decide(self, experiment: Experiment[KindTarget]) -> Verdict:
        """Reads the records, asks the database, and weighs it all."""
        sent = experiment.folder.records()
        found = experiment.target.audit(sent)
        self.analysis = ScalingAnalysis(self.name, self._evidence(experiment, sent), self.objectives, found)
        return self.analysis.verdict()

    def configuration(self, experiment: Experiment[KindTarget]) -> dict[str, Any]:
        """Versions, load, objectives and the autoscaler as it was."""
        return scale_configuration.described(experiment, self.objectives)

    def report(self, experiment: Experiment[KindTarget], verdict: Verdict) -> None:
        """The page of this run."""
        if self.analysis:
            pages.write(experiment.folder, self.analysis, verdict)

    def _steady(self, experiment: Experiment[KindTarget], live: LiveLoad[LoadSample], progress: Step) -> None:
        """Reads ticks until the step begins. Raises CannotRunError where the steady state does not hold until then."""

        def begins(sample: LoadSample) -> bool:
            if sample.users > self._users("base_users"):
                self._step = sample.time - 1  # users come at once; the tick is at most a second later
                return True
            progress.detail = self._now(experiment, sample)
            if sample.failed:
                raise CannotRunError(
                    f"the steady state does not hold: {_lost(sample)}", "drydock status; then run again."
                )
            desired = experiment.history.desired(experiment.workload.deployment)
            if desired[-1][1] > experiment.history.minimum(experiment.workload.deployment):
                reason = f"the steady state does not hold: {progress.detail}"
                raise CannotRunError(reason, "The light load alone makes the autoscaler scale: lower base_users.")
            return False

        if not live.until(begins):
            raise CannotRunError("the load ended before the step began", "See the load generator's log.")

    def _follow(
        self,
        experiment: Experiment[KindTarget],
        live: LiveLoad[LoadSample],
        progress: Step,
        reached: Callable[[LoadSample], bool],
    ) -> None:
        """Reads ticks until one is `reached`, or the load is over; shows where the drill stands meanwhile."""

        def look(sample: LoadSample) -> bool:
            self._show(experiment, sample, progress)
            return reached(sample)

        live.until(look)

    def _show(self, experiment: Experiment[KindTarget], sample: LoadSample, progress: Step) -> None:
        """Says how it is, and each mark as it comes."""
        progress.detail = self._now(experiment, sample)
        if self._load_off is None and self._is_off(sample):
            self._load_off = sample.time
        for mark in marks.read(self._evidence(experiment, ()), self.objectives.p95_seconds):
            early = self._load_off is None and mark.name == marks.ALL_READY  # more may be wanted yet
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
        """What is known by now. With the requests at hand, they themselves say when the load rose and fell."""
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
    """What KEDA's triggers are called in the autoscaler: the second one, of type prometheus, is s1-prometheus there.

    Raises:
        CannotRunError: there is none of the name `rate_trigger`.
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
