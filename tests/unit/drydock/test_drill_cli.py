"""What a person types about drills."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from drydock.cli import main
from drydock.core.project import Project
from drydock.drills.drill_catalogue import DISRUPTIONS

SETTINGS = Project.find(Path(__file__).parent).configuration.drills.disruptions
TITLES = [kind.title for kind in DISRUPTIONS]


def test_the_list_says_each_drill_what_it_is_to_show_and_its_negative_control() -> None:
    shown = CliRunner().invoke(main.app, ["drill", "list"])

    assert shown.exit_code == 0
    for kind in DISRUPTIONS:
        hypothesis = kind(SETTINGS).hypothesis
        assert f"{kind.title}\n  {hypothesis}\n  negative control: {kind.negative_control}" in shown.output
    assert "scale\n" in shown.output


@pytest.mark.parametrize("command", ["list", "all", "scale", *TITLES])
def test_every_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(main.app, ["drill", command, "--help"])

    assert shown.exit_code == 0
    assert len(shown.output.split()) > 10
