"""`drydock status`: show what runs."""

import typer

from drydock.core.errors import FailedError
from drydock.core.project import Project
from drydock.doctor import survey


def status() -> None:
    """Show what runs: nodes, pods, Tilt's resources, the service's readiness. Exit code 1: something is not healthy."""
    lines = survey.survey(Project.find())
    if not lines:
        raise FailedError("nothing runs", "Start it with `drydock up`.")
    survey.report(lines)
    if not all(line.healthy for line in lines):
        raise typer.Exit(FailedError.exit_code)
