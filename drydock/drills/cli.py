"""`drydock drill`: what a person types about drills."""

from typing import Annotated

import typer

from drydock.drills import catalogue, compare, experiment
from drydock.drills.scale import Scale
from drydock.failures import FailedError
from drydock.progress import say
from drydock.project import Project
from drydock.runs.folder import RunFolder
from drydock.runs.verdict import Verdict

app = typer.Typer(
    help="Do to the service what production does to it, and judge what comes of it.", no_args_is_help=True
)


@app.command("list")
def list_drills() -> None:
    """Say each drill, with what it is to show."""
    for drill in catalogue.all_drills(Project.find()):
        typer.echo(f"{drill.name}\n  {drill.hypothesis}")


@app.command()
def scale(
    comparison: Annotated[
        bool, typer.Option("--compare", help="Twice the same load: with CPU as the only trigger, then with both.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave what it changed as it is, to look into it; says what that is.")
    ] = False,
) -> None:
    """Raise the load to four times what a pod can do, and clock how the pods follow, up and down.

    Takes about six minutes, twice that with --compare, and leaves a folder below runs/ with report.html. Ctrl-C puts
    back what was changed. Exit code 1: the service or its autoscaler did not do what it should. Exit code 2: the drill
    could not run.
    """
    project = Project.find()
    if comparison:
        verdict, folder = compare.run(project)
    else:
        verdict, folder = experiment.run(Scale(project.configuration.drills.scale), project, keep=keep)
    _conclude(project, verdict, folder)


def _conclude(project: Project, verdict: Verdict, folder: RunFolder) -> None:
    """Shows the verdict, and where all of it is."""
    for check in verdict.checks:
        say(
            f"{'  ok' if check.passed else 'FAIL'}  {check.name}: {check.observed}"
            + ("" if check.passed else f"; expected {check.expected}")
        )
    for warning in verdict.warnings:
        say(f"note  {warning}")
    say(f"Report: {folder.path('report.html').relative_to(project.root)}")
    if not verdict.passed:
        raise FailedError(verdict.summary, f"Open {folder.path('report.html')}")
    say(verdict.summary)
