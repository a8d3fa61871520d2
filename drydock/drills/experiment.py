"""The engine of drills: refuse, run, put back, judge, and leave a folder behind that says it all."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from drydock import guards
from drydock.cluster import Cluster
from drydock.drills.annotations import Annotations
from drydock.drills.changes import Changes, termination_as_interrupt
from drydock.drills.workload import Subject
from drydock.grafana import Grafana
from drydock.kind_platform import KindPlatform
from drydock.progress import say, step
from drydock.project import Project, Workload
from drydock.runs.folder import CONFIGURATION, RunFolder
from drydock.runs.verdict import Verdict
from drydock.timeline import history
from drydock.timeline.history import History
from drydock.timeline.recorder import Timeline


@dataclass(frozen=True)
class Phase:
    """A part of a drill, in Unix seconds."""

    name: str
    began: float
    ended: float


@dataclass
class Experiment:
    """What a drill has in its hands while it runs."""

    platform: KindPlatform
    folder: RunFolder
    timeline: Timeline
    changes: Changes
    annotations: Annotations
    began: float = field(default_factory=time.time)
    phases: list[Phase] = field(default_factory=list)
    _recorded: History | None = None

    @property
    def cluster(self) -> Cluster:
        """Where it runs."""
        return self.platform.cluster

    @property
    def project(self) -> Project:
        """Whose service it is about."""
        return self.platform.project

    @property
    def workload(self) -> Workload:
        """The service's names."""
        return self.project.configuration.workload

    @property
    def subject(self) -> Subject:
        """The service, to be changed."""
        return Subject(self.cluster, self.workload)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """A part of the drill: it is in the timeline, and marked on the dashboards when it is over."""
        began = time.time()
        try:
            yield
        finally:
            self.phases.append(Phase(name, began, time.time()))
            self.annotations.mark(name, began)

    @property
    def history(self) -> History:
        """What the timeline has by now; after the drill, without what putting back has added to it."""
        return self._recorded or self.timeline.history

    def record(self) -> None:
        """Closes the timeline of the drill, and writes it."""
        self._recorded = self.timeline.history
        content = {"phases": [asdict(phase) for phase in self.phases], **self._recorded.as_json()}
        self.folder.write_json(history.FILE, content)


class Drill(Protocol):
    """An experiment: what is believed, what is done, what is made of it. Each part is called once, in this order."""

    hypothesis: str

    @property
    def name(self) -> str:
        """What it is called, and its folder after it."""

    def refuse(self, platform: KindPlatform) -> None:
        """Raises CannotRunError where this drill has no sense here."""

    def prepare(self, experiment: Experiment) -> None:
        """Changes what has to be changed, by `experiment.changes`."""

    def run(self, experiment: Experiment) -> None:
        """Steady state, action, recovery. Raises CannotRunError where the steady state does not hold."""

    def judge(self, experiment: Experiment) -> Verdict:
        """The verdict, when all is put back."""

    def configuration(self, experiment: Experiment) -> dict[str, Any]:
        """What it ran with, for configuration.json."""

    def report(self, experiment: Experiment, verdict: Verdict) -> None:
        """Writes report.html."""


def run(drill: Drill, project: Project, *, keep: bool = False) -> tuple[Verdict, RunFolder]:
    """Runs a drill on kind and leaves its folder; what it changed is put back whatever happens.

    Raises:
        CannotRunError: a guard refuses, or the steady state does not hold.
        FailedError: something could not be put back.
        KeyboardInterrupt: Ctrl-C or SIGTERM, when all is put back.
    """
    platform = KindPlatform(project)
    _refuse(drill, platform)
    folder = RunFolder.create(project, drill.name)
    say(f"Hypothesis: {drill.hypothesis}")
    pages = project.configuration.telemetry.kind
    with termination_as_interrupt(), Grafana(pages.grafana) as grafana:
        annotations = Annotations(grafana, drill.name)
        namespace = project.configuration.workload.namespace
        with Timeline(project.kubeconfig, namespace) as timeline, Changes(keep) as changes:
            experiment = Experiment(platform, folder, timeline, changes, annotations)
            _perform(drill, experiment)
        return _conclude(drill, experiment), folder


def _refuse(drill: Drill, platform: KindPlatform) -> None:
    """What every drill needs: our cluster, the workload as production runs it, and ready."""
    guards.refuse_another_context(platform.cluster)
    guards.refuse_dev_mode(platform.cluster, platform.project.configuration.workload)
    guards.refuse_unready(platform.project)
    drill.refuse(platform)


def _perform(drill: Drill, experiment: Experiment) -> None:
    """Everything that touches the cluster. The timeline is written in every case."""
    try:
        drill.prepare(experiment)
        experiment.folder.write_json(CONFIGURATION, drill.configuration(experiment))
        with experiment.phase(f"drill {drill.name}"):
            drill.run(experiment)
    except KeyboardInterrupt:
        say("Interrupted: what the drill changed is put back first.")
        raise
    finally:
        experiment.record()


def _conclude(drill: Drill, experiment: Experiment) -> Verdict:
    with step("verdict and report") as progress:
        verdict = drill.judge(experiment)
        experiment.folder.conclude(verdict, time.time() - experiment.began)
        drill.report(experiment, verdict)
        progress.detail = str(experiment.folder.path("report.html").relative_to(experiment.project.root))
    experiment.annotations.mark(f"drill {drill.name}: {'passed' if verdict.passed else 'failed'}")
    return verdict
