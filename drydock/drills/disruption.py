"""The shape of every shutdown drill: steady state, action, recovery, verdict, with the judge counting throughout."""

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

# What `--against` calls the drill's own negative control.
OWN_CONTROL = "control"


@dataclass
class Disruption[T: Target](ABC):
    """One run of such a drill. `against` names a negative control, or a file with a patch of the Deployment."""

    settings: Disruptions
    against: str | None = None
    analysis: Analysis | None = field(default=None, init=False)
    _run: DrillRun[T] | None = field(default=None, init=False)

    title: ClassVar[str]
    negative_control: ClassVar[str]
    # The platforms on which it has a meaning.
    platforms: ClassVar[frozenset[str]] = frozenset({"kind", "local"})
    pods: ClassVar[int] = 2

    @property
    @abstractmethod
    def hypothesis(self) -> str:
        """What it is to show, in a sentence; a drill whose numbers follow from its settings computes it."""

    @property
    def objectives(self) -> DrillObjectives:
        """What is promised; by default that nothing is lost and nothing restarts."""
        return DrillObjectives()

    @property
    def variant(self) -> str | None:
        """The variant of the service that it needs, of k8s/variants."""
        return None

    @property
    def rate_of_one_pod(self) -> float:
        """The requests a second that one pod gets: its share of the judge's."""
        return self.settings.rate / self.pods

    @property
    def name(self) -> str:
        """What its folder is called."""
        return f"{self.title}-against-{Path(self.applied_control).stem}" if self.applied_control else self.title

    @abstractmethod
    def act(self, run: DrillRun[T]) -> None:
        """Does to the service what production does to it."""

    @abstractmethod
    def recovered(self, run: DrillRun[T]) -> bool:
        """Whether it is as it was, by what was seen until now."""

    def checks(self, run: DrillRun[T], evidence: Evidence) -> Iterable[Check]:
        """What is to be shown beside the account of the requests."""
        return ()

    def refuse(self, target: T) -> None:
        """Raises CannotRunError where the drill has no sense on this platform, or the control is not known."""
        if target.name not in self.platforms:
            where = " or ".join(f"--platform {name}" for name in sorted(self.platforms))
            raise CannotRunError(f"the drill {self.title} does not run on the platform {target.name}", f"Say {where}.")
        self.patches(target)

    def patches(self, target: T) -> list[Mapping[str, Any]]:
        """What is laid over the Deployment before the steady state: the variant, and what takes the protection away.

        Raises:
            CannotRunError: there is no such control, and no such file.
        """
        asked = [patches.variant(target.project, self.variant)] if self.variant else []
        return [*asked, patches.control(target.project, self.applied_control)] if self.applied_control else asked

    @property
    def applied_control(self) -> str | None:
        """The name of the negative control, or None where it runs as it is."""
        return self.negative_control if self.against == OWN_CONTROL else self.against

    def prepare(self, experiment: Experiment[T]) -> None:
        """Holds the number of pods, and lays the variant and the negative control over the Deployment."""
        target = experiment.target
        title = f"the service is held at {self.pods} pods"
        experiment.changes.apply(title, lambda: target.hold(self.pods), target.release)
        if laid := self.patches(target):
            what = " and ".join(name for name in (self.variant, self.applied_control) if name)
            experiment.changes.apply(f"the Deployment with {what}", lambda: _apply(target, laid), target.restore)
        with step("pods of one template, ready") as progress:
            if not target.wait_for_rollout(ROLLOUT_SECONDS):
                reason = f"the pods of {experiment.workload.deployment} do not become ready"
                raise CannotRunError(reason, "drydock status")
            progress.detail = ", ".join(target.ready_pods())

    def run(self, experiment: Experiment[T]) -> None:
        """Steady state, action, recovery."""
        settings = self.settings
        judge = experiment.target.judge(settings.rate, settings.most_seconds)
        start(judge, "judge")
        with LiveLoad(judge, experiment.folder.folder) as live:
            run = self._run = DrillRun(experiment, live, settings)
            with experiment.part("steady state: every request is answered") as progress:
                run.steady(progress)
            with experiment.part(f"action: {self.title}") as progress:
                run.start_action(progress)
                self.act(run)
                run.end_action()
            with experiment.part("recovery") as progress:
                run.recover(progress, lambda: self.recovered(run))
            with experiment.part("after: every request is answered again") as progress:
                run.complete(progress, self.settings.least_requests)
                live.stop()

    def decide(self, experiment: Experiment[T]) -> Verdict:
        """Reads the records, asks the database, and accounts for it all."""
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
        """Versions, the load, the promise and what was changed."""
        return {
            **experiment.target.describe(),
            "drill": self.title,
            "platform": experiment.target.name,
            "against": self.applied_control,
            "objectives": self.settings.model_dump(mode="json"),
            "changed": self.patches(experiment.target),
        }

    def report(self, experiment: Experiment[T], verdict: Verdict) -> None:
        """The page of this run."""
        if self.analysis:
            configuration = self.configuration(experiment)
            shutdown = experiment.project.configuration.shutdown
            disclaimer = experiment.target.disclaimer
            pages.write(experiment.folder, self.analysis, verdict, configuration, shutdown, disclaimer)

    def _acted(self) -> DrillRun[T]:
        if self._run is None:
            raise CannotRunError(f"the drill {self.title} was not run")
        return self._run


def _apply(target: Target, patches: Iterable[Mapping[str, Any]]) -> None:
    for patch in patches:
        target.apply(patch)
