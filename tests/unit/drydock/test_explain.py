"""`drydock explain`: every cause has advice, and a run has its own causes."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from drydock.analysis import disruption_analysis
from drydock.analysis.causes import SENTENCES, Cause
from drydock.cli import main
from drydock.core.errors import CannotRunError
from drydock.runs.folder import RunFolder

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "drydock.toml").write_text((ROOT / "drydock.toml").read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_name_every_cause_is_explained() -> None:
    shown = CliRunner().invoke(main.app, ["explain"])

    assert shown.exit_code == 0
    assert all(f"{cause}\n  {SENTENCES[cause]}\n  change: " in shown.output for cause in Cause)


def test_the_advice_names_the_variables_of_the_project_if_there_is_one(checkout: Path) -> None:
    drydock_toml = checkout / "drydock.toml"
    drydock_toml.write_text(drydock_toml.read_text().replace('["DRAIN_SECONDS"]', '["LAME_DUCK"]'))

    inside = CliRunner().invoke(main.app, ["explain", Cause.CLOSED_LISTENER]).output
    drydock_toml.unlink()
    outside = CliRunner().invoke(main.app, ["explain", Cause.CLOSED_LISTENER]).output

    assert "drain (LAME_DUCK) before the listener" in inside
    assert "drain before the listener" in outside


def test_one_cause_is_explained_alone() -> None:
    shown = CliRunner().invoke(main.app, ["explain", Cause.CUT_IN_FLIGHT])

    assert shown.output.startswith("cut-in-flight\n")
    assert Cause.NO_DATABASE not in shown.output


def test_a_run_is_explained_by_its_causes_with_their_counts(checkout: Path) -> None:
    folder = RunFolder(checkout / "runs" / "20260101T000000Z-rollout")
    folder.folder.mkdir(parents=True)
    folder.write_json(disruption_analysis.FILE, {"sent": 10_001, "lost": 3, "causes": {"cut-in-flight": 3}})

    shown = CliRunner().invoke(main.app, ["explain", "rollout"])

    assert "20260101T000000Z-rollout: 3 of 10,001 requests lost" in shown.output
    assert "3 requests: cut-in-flight" in shown.output


def test_a_name_that_is_neither_a_cause_nor_a_run_is_refused(checkout: Path) -> None:
    shown = CliRunner().invoke(main.app, ["explain", "nonsense"])

    assert isinstance(shown.exception, CannotRunError)
    assert "'nonsense' is neither a cause nor a run" in shown.exception.reason
