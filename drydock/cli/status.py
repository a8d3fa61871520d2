"""`drydock status`: show the health of everything that runs."""

import typer

from drydock.core.errors import FailedError
from drydock.core.project import Project
from drydock.doctor import survey


def status() -> None:
    """Show the nodes, pods, Tilt's resources and the service's readiness. Exit code 1: something is not healthy."""
    lines = survey.survey(Project.find())
    if not lines:
        raise FailedError("nothing is running", "Start it with `drydock up`.")
    survey.report(lines)
    if not all(line.healthy for line in lines):
        raise typer.Exit(FailedError.exit_code)
