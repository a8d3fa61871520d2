"""The engine: every exit from a drill restores the service, and the folder of the run has its observations.

Around a drill of the test's own are a real HTTP server that speaks the watch protocol, and one with Grafana's API.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drydock.cluster.platform import KindPlatform
from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.drills import experiment
from drydock.drills.experiment import Experiment
from drydock.runs.folder import RunFolder
from drydock.runs.verdict import Check, Verdict
from drydock.targets.kind import KindTarget
from tests.integration.drydock.watch_double import WatchDouble, kubeconfig, serving
from tests.polling import poll_until
from tests.unit.drydock import grafana_double
from tests.unit.drydock.grafana_double import GrafanaDouble

ROOT = Path(__file__).parents[3]


@dataclass
class Rehearsal:
    """A drill that notes what is done to it."""

    action: Callable[[Experiment[KindTarget]], None] = lambda _: None
    refuses: CannotRunError | None = None
    passes: bool = True
    done: list[str] = field(default_factory=list)
    hypothesis: str = "all is well"
    name: str = "rehearsal"

    def refuse(self, target: KindTarget) -> None:
        if self.refuses:
            raise self.refuses
        self.done.append("refuse")

    def prepare(self, experiment: Experiment[KindTarget]) -> None:
        self.done.append("change")

    def run(self, experiment: Experiment[KindTarget]) -> None:
        with experiment.phase("action"):
            self.done.append("run")
            self.action(experiment)

    def decide(self, experiment: Experiment[KindTarget]) -> Verdict:
        self.done.append("judge")
        return Verdict(self.name, "drill", "seen", [Check("it holds", self.passes, "yes", "?")], {})

    def configuration(self, experiment: Experiment[KindTarget]) -> dict[str, Any]:
        return {"commit": "abc"}

    def report(self, experiment: Experiment[KindTarget], verdict: Verdict) -> None:
        experiment.folder.path("report.html").write_text("a page")


class NotingTarget(KindTarget):
    """A target without guards, which have their own tests. It notes when the engine records and restores."""

    rehearsal: Rehearsal

    def refuse(self) -> None:
        pass

    def begin(self, run: str) -> None:
        self.rehearsal.done.append("record")

    def connections(self) -> None:
        """There is no node."""

    def changed_parts(self) -> list[str]:
        return ["a change"]

    def restore(self) -> None:
        self.rehearsal.done.append("restore")


def target(project: Project, rehearsal: Rehearsal) -> NotingTarget:
    noting = NotingTarget(KindPlatform(project))
    noting.rehearsal = rehearsal
    return noting


@pytest.fixture
def grafana() -> Iterator[GrafanaDouble]:
    with grafana_double.serving() as double:
        yield double


@pytest.fixture
def api() -> Iterator[WatchDouble]:
    with serving() as double:
        double.put("there")
        yield double


@pytest.fixture
def project(tmp_path: Path, api: WatchDouble, grafana: GrafanaDouble) -> Project:
    """A checkout that knows these servers."""
    text = (ROOT / "drydock.toml").read_text().replace("http://localhost:3000", grafana.url)
    (tmp_path / "drydock.toml").write_text(text)
    (tmp_path / ".local").mkdir()
    kubeconfig(tmp_path / ".local", api.url)
    return Project.find(tmp_path)


def test_a_drill_that_comes_to_its_end_restores_the_service_and_then_decides(
    project: Project, grafana: GrafanaDouble
) -> None:
    drill = Rehearsal()

    verdict, folder = experiment.run(drill, target(project, drill))

    assert drill.done == ["refuse", "record", "change", "run", "restore", "judge"]
    assert verdict.passed
    assert {path.name for path in folder.folder.iterdir()} == {
        *("configuration.json", "timeline.json", "verdict.json", "junit.xml", "report.html")
    }
    assert [kept["text"] for kept in grafana.annotations] == ["action", "drill rehearsal", "drill rehearsal: passed"]


def test_the_timeline_has_what_the_drill_did_and_not_what_restoring_did(project: Project, api: WatchDouble) -> None:
    def acts(running: Experiment[KindTarget]) -> None:
        api.put("during")
        poll_until(lambda: any(seen.name == "during" for seen in running.history.of("Pod")), "the new pod to be seen")

    class Changing(NotingTarget):
        def restore(self) -> None:
            api.put("by restoring")

    drill = Rehearsal(action=acts)
    changing = Changing(KindPlatform(project))
    changing.rehearsal = drill
    _, folder = experiment.run(drill, changing)

    written = folder.read_json("timeline.json")
    assert [seen["name"] for seen in written["observations"]] == ["there", "during"]
    assert [phase["name"] for phase in written["phases"]] == ["action", "drill rehearsal"]


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), CannotRunError("the steady state does not hold")], ids=repr)
def test_a_drill_that_is_cut_short_restores_the_service_and_leaves_its_timeline(
    project: Project, ending: BaseException
) -> None:
    def breaks(_: Experiment[KindTarget]) -> None:
        raise ending

    drill = Rehearsal(action=breaks)
    with pytest.raises(type(ending)):
        experiment.run(drill, target(project, drill))

    assert drill.done == ["refuse", "record", "change", "run", "restore"]
    [folder] = RunFolder.all(project)
    assert json.loads(folder.path("timeline.json").read_text())["observations"]
    assert not folder.path("verdict.json").exists(), "what was not judged has no verdict"


def test_a_drill_that_is_refused_leaves_nothing(project: Project) -> None:
    drill = Rehearsal(refuses=CannotRunError("the autoscaler is blind"))

    with pytest.raises(CannotRunError, match="blind"):
        experiment.run(drill, target(project, drill))

    assert not drill.done
    assert not RunFolder.all(project)


def test_a_verdict_that_fails_is_written_as_one(project: Project, grafana: GrafanaDouble) -> None:
    drill = Rehearsal(passes=False)
    verdict, folder = experiment.run(drill, target(project, drill))

    assert not verdict.passed
    assert folder.read_json("verdict.json")["passed"] is False
    assert 'failures="1"' in folder.path("junit.xml").read_text()
    assert grafana.annotations[-1]["text"] == "drill rehearsal: failed"


def test_what_is_kept_is_not_restored(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    drill = Rehearsal()
    experiment.run(drill, target(project, drill), keep=True)

    assert "restore" not in drill.done
    assert "Kept: a change." in capsys.readouterr().err
