"""The command line of the drills."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from drydock.cli import main
from drydock.core.project import Project
from drydock.drills.drill_catalogue import DISRUPTIONS

SETTINGS = Project.find(Path(__file__).parent).configuration.drills.disruptions
TITLES = [kind.title for kind in DISRUPTIONS]


def test_the_list_has_each_drill_with_its_hypothesis_and_negative_control() -> None:
    shown = CliRunner().invoke(main.app, ["drill", "list"])

    assert shown.exit_code == 0
    for kind in DISRUPTIONS:
        hypothesis = kind(SETTINGS).hypothesis
        assert f"{kind.title}\n  {hypothesis}\n  negative control: {kind.negative_control}" in shown.output
    assert "scale\n" in shown.output


@pytest.mark.parametrize("command", ["list", "all", "scale", *TITLES])
def test_every_command_has_a_help_text(command: str) -> None:
    shown = CliRunner().invoke(main.app, ["drill", command, "--help"])

    assert shown.exit_code == 0
    assert len(shown.output.split()) > 10


@pytest.mark.parametrize("hours", ["0", "-1", "nan"])
def test_a_soak_without_a_time_is_a_usage_error(hours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drydock.drills.all.run", lambda *_: pytest.fail("a drill was started"))

    shown = CliRunner().invoke(main.app, ["drill", "soak", f"--hours={hours}", "--platform=local"])

    assert shown.exit_code == 2
    assert "must be more than 0" in shown.output


def test_a_soak_takes_a_part_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drydock.drills.all.run", lambda *_: [])

    assert CliRunner().invoke(main.app, ["drill", "soak", "--hours=0.01", "--platform=local"]).exit_code == 0
