"""The engine of drills: refuse, run, put back, judge, and leave a folder behind that says it all."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from drydock.core.console import Step, message, step
from drydock.core.project import Project, Workload
from drydock.drills.annotations import Annotations, annotations_of
from drydock.drills.changes import Changes
from drydock.runs.folder import CONFIGURATION, RunFolder
from drydock.runs.verdict import Verdict
from drydock.system import signals
from drydock.targets.target import Target, TimelineRecorder
from drydock.timeline import history
from drydock.timeline.history import History


@dataclass(frozen=True)
class Phase:
    """A part of a drill, in Unix seconds."""

    name: str
    began: float
    ended: float


@dataclass
class Experiment[T: Target]:
    """What a drill has in its hands while it runs: the target, and what records it."""

    target: T
    folder: RunFolder
    timeline: TimelineRecorder
    changes: Changes
    annotations: Annotations
    began: float = field(default_factory=time.time)
    phases: list[Phase] = field(default_factory=list)
    _recorded: History | None = None

    @property
    def project(self) -> Project:
        """Whose service it is about."""
        return self.target.project

    @property
    def workload(self) -> Workload:
        """The service's names."""
        return self.project.configuration.workload

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """A part of the drill: it is in the timeline, and marked on the dashboards when it is over."""
        began = time.time()
        try:
            yield
        finally:
            self.phases.append(Phase(name, began, time.time()))
            self.annotations.mark(name, began)

    @contextmanager
    def part(self, title: str) -> Iterator[Step]:
        """A phase whose progress is shown."""
        with self.phase(title), step(title) as progress:
            yield progress

    @property
    def history(self) -> History:
        """What the timeline has by now; after the drill, without what putting back has added to it."""
        return self._recorded or self.timeline.history

    def record(self) -> None:
        """Closes the timeline of the drill, and writes it."""
        self._recorded = self.timeline.complete()
        content = {"phases": [asdict(phase) for phase in self.phases], **self._recorded.as_json()}
        self.folder.write_json(history.FILE, content)


class Drill[T: Target](Protocol):
    """An experiment: what is believed, what is done, what is made of it. Each part is called once, in this order."""

    @property
    def hypothesis(self) -> str:
        """What it is to show, in a sentence."""

    @property
    def name(self) -> str:
        """What it is called, and its folder after it."""

    def refuse(self, target: T) -> None:
        """Raises CannotRunError where this drill has no sense here."""

    def prepare(self, experiment: Experiment[T]) -> None:
        """Changes what has to be changed, by `experiment.changes`."""

    def run(self, experiment: Experiment[T]) -> None:
        """Steady state, action, recovery. Raises CannotRunError where the steady state does not hold."""

    def decide(self, experiment: Experiment[T]) -> Verdict:
        """The verdict, when all is put back."""

    def configuration(self, experiment: Experiment[T]) -> dict[str, Any]:
        """What it ran with, for configuration.json."""

    def report(self, experiment: Experiment[T], verdict: Verdict) -> None:
        """Writes report.html."""


def run[T: Target](drill: Drill[T], target: T, *, keep: bool = False) -> tuple[Verdict, RunFolder]:
    """Runs a drill on a target and leaves its folder; what it changed is put back whatever happens.

    Raises:
        CannotRunError: a guard refuses, or the steady state does not hold.
        FailedError: something could not be put back.
        KeyboardInterrupt: Ctrl-C or SIGTERM, when all is put back.
    """
    target.refuse()
    with signals.interrupt_on(), target.opened(), annotations_of(drill.name, target.dashboards) as annotations:
        drill.refuse(target)
        folder = RunFolder.create(target.project, drill.name)
        message(f"Hypothesis: {drill.hypothesis}")
        with target.timeline() as timeline, Changes(keep) as changes:
            experiment = Experiment(target, folder, timeline, changes, annotations)
            _perform(drill, experiment)
        return _conclude(drill, experiment), folder


def _perform[T: Target](drill: Drill[T], experiment: Experiment[T]) -> None:
    """Everything that touches the service. The timeline is written in every case."""
    try:
        drill.prepare(experiment)
        experiment.folder.write_json(CONFIGURATION, drill.configuration(experiment))
        with experiment.phase(f"drill {drill.name}"):
            drill.run(experiment)
    except KeyboardInterrupt:
        message("Interrupted: what the drill changed is put back first.")
        raise
    finally:
        experiment.record()


def _conclude[T: Target](drill: Drill[T], experiment: Experiment[T]) -> Verdict:
    with step("verdict and report") as progress:
        verdict = drill.decide(experiment)
        experiment.folder.conclude(verdict, time.time() - experiment.began)
        drill.report(experiment, verdict)
        progress.detail = str(experiment.folder.path("report.html").relative_to(experiment.project.root))
    experiment.annotations.mark(f"drill {drill.name}: {'passed' if verdict.passed else 'failed'}")
    return verdict
