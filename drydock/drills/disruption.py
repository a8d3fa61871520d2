"""The base class of the shutdown drills: steady state, action, recovery and verdict, under the judge's load."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from drydock.analysis.disruption_analysis import Analysis
from drydock.analysis.drill_objectives import DrillObjectives
from drydock.analysis.evidence import Evidence
from drydock.core.console import step
from drydock.core.errors import CannotRunError
from drydock.core.project import Disruptions
from drydock.drills.drill_run import DrillRun
from drydock.drills.experiment import Experiment
from drydock.judge_client.start_delay import StartDelay
from drydock.load.live_load import LiveLoad, start
from drydock.manifests import patches
from drydock.report import disruption_page as pages
from drydock.runs.verdict import Check, Verdict
from drydock.targets.target import ROLLOUT_SECONDS, Target

# The value of `--against` for the drill's own negative control.
OWN_CONTROL = "control"


@dataclass
class Disruption[T: Target](ABC):
    """One run of a drill. `against` names a negative control, or a file with a patch of the Deployment."""

    settings: Disruptions
    against: str | None = None
    analysis: Analysis | None = field(default=None, init=False)
    _run: DrillRun[T] | None = field(default=None, init=False)

    title: ClassVar[str]
    negative_control: ClassVar[str]
    # The check that the negative control must fail. Any other failure proves nothing.
    control_check: ClassVar[str] = "requests lost"
    # The platforms that can run the drill.
    platforms: ClassVar[frozenset[str]] = frozenset({"kind", "local"})
    pods: ClassVar[int] = 2

    @property
    @abstractmethod
    def hypothesis(self) -> str:
        """The sentence that the drill tests."""

    @property
    def objectives(self) -> DrillObjectives:
        """The limits that the verdict checks; by default no loss and no restart."""
        return DrillObjectives()

    @property
    def variant(self) -> str | None:
        """The patch of k8s/variants that the drill needs, by name."""
        return None

    @property
    def rate_of_one_pod(self) -> float:
        """The requests a second that one of the pods receives from the judge."""
        return self.settings.rate / self.pods

    @property
    def name(self) -> str:
        """The name of the run; the folder of the run ends with it."""
        return f"{self.title}-against-{Path(self.applied_control).stem}" if self.applied_control else self.title

    @abstractmethod
    def act(self, run: DrillRun[T]) -> None:
        """Disturbs the service as production does."""

    @abstractmethod
    def recovered(self, run: DrillRun[T]) -> bool:
        """Whether the service has recovered, by the observations so far."""

    def checks(self, run: DrillRun[T], evidence: Evidence) -> Iterable[Check]:
        """The checks of this drill beyond those of every drill."""
        return ()

    def refuse(self, target: T) -> None:
        """Raises CannotRunError if the platform cannot run the drill, or the negative control is unknown."""
        if target.name not in self.platforms:
            where = " or ".join(f"--platform {name}" for name in sorted(self.platforms))
            raise CannotRunError(f"the drill {self.title} does not run on the platform {target.name}", f"Use {where}.")
        self.patches(target)

    def patches(self, target: T) -> list[Mapping[str, Any]]:
        """The patches of the Deployment before the steady state: the variant, then the negative control.

        Raises:
            CannotRunError: the negative control is neither known nor a file.
        """
        needed = [patches.variant(target.project, self.variant)] if self.variant else []
        return [*needed, patches.control(target.project, self.applied_control)] if self.applied_control else needed

    @property
    def applied_control(self) -> str | None:
        """The negative control of this run; None leaves the Deployment protected."""
        return self.negative_control if self.against == OWN_CONTROL else self.against

    def prepare(self, experiment: Experiment[T]) -> None:
        """Holds the number of pods, then patches the Deployment with the variant and the negative control."""
        target = experiment.target
        title = f"hold the service at {self.pods} pods"
        with step(title):
            target.hold(self.pods)
        if applied := self.patches(target):
            names = " and ".join(name for name in (self.variant, self.applied_control) if name)
            with step(f"patch the Deployment: {names}"):
                for patch in applied:
                    target.apply(patch)
        with step("wait for ready pods of one template") as progress:
            if not target.wait_for_rollout(ROLLOUT_SECONDS):
                reason = f"the pods of {experiment.workload.deployment} do not become ready"
                raise CannotRunError(reason, "drydock status")
            progress.detail = ", ".join(target.ready_pods())

    def run(self, experiment: Experiment[T]) -> None:
        """Steady state, action, recovery: the judge sends from the first to the last."""
        settings = self.settings
        judge = experiment.target.judge(settings.rate, settings.most_seconds)
        start(judge, "judge")
        with LiveLoad(judge, experiment.folder.folder) as live:
            run = self._run = DrillRun(experiment, live, settings)
            with experiment.part("steady state: every request succeeds") as progress:
                run.steady(progress)
            with experiment.part(f"action: {self.title}") as progress:
                run.start_action(progress)
                self.act(run)
                run.end_action()
            with experiment.part("recovery") as progress:
                run.recover(progress, lambda: self.recovered(run))
            with experiment.part("after: every request succeeds again") as progress:
                run.complete(progress, self.settings.least_requests)
                live.stop()

    def decide(self, experiment: Experiment[T]) -> Verdict:
        """The verdict, from the records, the timeline and the audit."""
        run = self._acted()
        sent = experiment.folder.records()
        evidence = run.evidence(sent)
        self.analysis = Analysis(
            self.name,
            self.title,
            self.hypothesis,
            evidence,
            self.objectives,
            experiment.target.audit(sent),
            StartDelay.read(experiment.folder),
            self.settings.least_requests,
            tuple(self.checks(run, evidence)),
        )
        return self.analysis.verdict()

    def configuration(self, experiment: Experiment[T]) -> dict[str, Any]:
        """Versions, load, objectives and patches."""
        return {
            **experiment.target.describe(),
            "drill": self.title,
            "platform": experiment.target.name,
            "against": self.applied_control,
            "objectives": self.settings.model_dump(mode="json"),
            "changed": self.patches(experiment.target),
        }

    def report(self, experiment: Experiment[T], verdict: Verdict) -> None:
        """Writes report.html."""
        if self.analysis:
            configuration = self.configuration(experiment)
            shutdown = experiment.project.configuration.shutdown
            disclaimer = experiment.target.disclaimer
            pages.write(experiment.folder, self.analysis, verdict, configuration, shutdown, disclaimer)

    def _acted(self) -> DrillRun[T]:
        if self._run is None:
            raise CannotRunError(f"the drill {self.title} has not run")
        return self._run
