"""What a person types about drills."""

import pytest
from typer.testing import CliRunner

from drydock import cli
from drydock.drills import catalogue
from tests.unit.drydock.recorded_drill import PROJECT


def test_the_list_says_each_drill_and_what_it_is_to_show() -> None:
    shown = CliRunner().invoke(cli.app, ["drill", "list"])

    assert shown.exit_code == 0
    for drill in catalogue.all_drills(PROJECT):
        assert f"{drill.name}\n  {drill.hypothesis}\n" in shown.output


@pytest.mark.parametrize("command", ["list", "scale"])
def test_every_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(cli.app, ["drill", command, "--help"])

    assert shown.exit_code == 0
    assert len(shown.output.split()) > 10
