"""`drydock doctor`: check this machine."""

import typer

from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.doctor import examination
from drydock.doctor.checks import Level


def doctor() -> None:
    """Check this machine, and print a remedy for each problem. Exit code 2: a problem blocks `up`."""
    project = Project.find()
    findings = [
        *examination.examine(project),
        *examination.autoscalers(project),
        *examination.left_changes(project),
        *examination.left_processes(project),
    ]
    examination.report(findings)
    if any(finding.level is Level.BLOCKED for finding in findings):
        raise typer.Exit(CannotRunError.exit_code)
