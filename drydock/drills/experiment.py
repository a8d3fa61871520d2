"""The engine of the drills: refuse, run, restore, decide, and write the folder of the run."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from drydock.core.console import Step, message, step
from drydock.core.project import Project, Workload
from drydock.drills.annotations import Annotations, annotations_of
from drydock.drills.restoration import restored
from drydock.runs.folder import CONFIGURATION, RunFolder
from drydock.runs.verdict import Verdict
from drydock.system import signals
from drydock.system.cpu_pressure import CpuPressureRecorder
from drydock.targets.target import Target, TimelineRecorder
from drydock.timeline import history
from drydock.timeline.history import History
from drydock.timeline.routes import Route


@dataclass(frozen=True)
class Phase:
    """A part of a drill. Times are Unix seconds."""

    name: str
    began: float
    ended: float


@dataclass
class Experiment[T: Target]:
    """The context of a running drill: its target, and everything that records it."""

    target: T
    folder: RunFolder
    timeline: TimelineRecorder
    annotations: Annotations
    machine: CpuPressureRecorder = field(default_factory=CpuPressureRecorder)
    began: float = field(default_factory=time.time)
    phases: list[Phase] = field(default_factory=list)
    _recorded: History | None = None

    @property
    def project(self) -> Project:
        return self.target.project

    @property
    def workload(self) -> Workload:
        return self.project.configuration.workload

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """A part of the drill: timeline.json lists it, and its end annotates the dashboards."""
        began = time.time()
        try:
            yield
        finally:
            self.phases.append(Phase(name, began, time.time()))
            self.annotations.mark(name, began)

    @contextmanager
    def part(self, title: str) -> Iterator[Step]:
        """A phase with a progress line."""
        with self.phase(title), step(title) as progress:
            yield progress

    @property
    def history(self) -> History:
        """The timeline so far; after the drill, without the observations of the restoring."""
        return self._recorded or self.timeline.history

    @property
    def routes(self) -> Sequence[Route]:
        """The pods that connections were routed to."""
        return self.timeline.routes

    def record(self) -> None:
        """Completes and writes the timeline of the drill."""
        self._recorded = self.timeline.complete()
        content = {
            "phases": [asdict(phase) for phase in self.phases],
            "cpu_pressure": self.machine.pressure.as_json(),
            **self._recorded.as_json(),
        }
        self.folder.write_json(history.FILE, content)


class Drill[T: Target](Protocol):
    """An experiment: a hypothesis, an action and a verdict. The engine calls each method once, in this order."""

    @property
    def hypothesis(self) -> str:
        """The sentence that the drill tests."""

    @property
    def name(self) -> str:
        """The name of the run; the folder of the run ends with it."""

    def refuse(self, target: T) -> None:
        """Raises CannotRunError if the drill makes no sense on this target."""

    def prepare(self, experiment: Experiment[T]) -> None:
        """Prepares the service: every change is among the parts that the target restores."""

    def run(self, experiment: Experiment[T]) -> None:
        """Steady state, action, recovery. Raises CannotRunError if the steady state does not hold."""

    def decide(self, experiment: Experiment[T]) -> Verdict:
        """The verdict, after the service is restored."""

    def configuration(self, experiment: Experiment[T]) -> dict[str, Any]:
        """The content of configuration.json."""

    def report(self, experiment: Experiment[T], verdict: Verdict) -> None:
        """Writes report.html."""


def run[T: Target](drill: Drill[T], target: T, *, keep: bool = False) -> tuple[Verdict, RunFolder]:
    """Runs a drill on a target and writes the folder of the run. Every exit restores the service.

    Raises:
        CannotRunError: a guard refuses, the steady state does not hold, or the service could not be restored.
        KeyboardInterrupt: Ctrl-C, SIGTERM or SIGHUP, after the service is restored.
    """
    target.refuse()
    with signals.interrupt_on(), target.opened(), annotations_of(drill.name, target.dashboards) as annotations:
        drill.refuse(target)
        folder = RunFolder.create(target.project, drill.name)
        message(f"Hypothesis: {drill.hypothesis}")
        with target.timeline() as timeline, restored(target, folder.name, keep=keep):
            experiment = Experiment(target, folder, timeline, annotations)
            with experiment.machine:
                _perform(drill, experiment)
        return _conclude(drill, experiment), folder


def _perform[T: Target](drill: Drill[T], experiment: Experiment[T]) -> None:
    """Prepares and runs the drill. Every exit writes the timeline."""
    try:
        drill.prepare(experiment)
        experiment.folder.write_json(CONFIGURATION, drill.configuration(experiment))
        with experiment.phase(f"drill {drill.name}"):
            drill.run(experiment)
    except KeyboardInterrupt:
        message("Interrupted: the drill restores the service first.")
        raise
    finally:
        experiment.record()


def _conclude[T: Target](drill: Drill[T], experiment: Experiment[T]) -> Verdict:
    with step("verdict and report") as progress:
        verdict = drill.decide(experiment)
        experiment.folder.conclude(verdict, time.time() - experiment.began)
        drill.report(experiment, verdict)
        progress.detail = str(experiment.folder.path("report.html").relative_to(experiment.project.root))
    experiment.annotations.mark(f"drill {drill.name}: {verdict.result}")
    return verdict
