"""`drydock drill`: what a person types about drills."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from drydock.cluster.platform import KindPlatform
from drydock.core.console import message
from drydock.core.errors import FailedError
from drydock.core.project import Project
from drydock.drills import all as every
from drydock.drills import experiment, scale_comparison
from drydock.drills.disruption import Disruption
from drydock.drills.drill_catalogue import DISRUPTIONS
from drydock.drills.scale import Scale
from drydock.runs.folder import RunFolder
from drydock.runs.verdict import Verdict
from drydock.targets.kind import KindTarget
from drydock.targets.local import LocalTarget
from drydock.targets.target import Target

app = typer.Typer(
    help="Do to the service what production does to it, and judge what comes of it.", no_args_is_help=True
)


class Platform(StrEnum):
    """Where a shutdown drill can run."""

    KIND = "kind"
    LOCAL = "local"


Where = Annotated[
    Platform, typer.Option("--platform", help="local needs no Docker, and says nothing about Kubernetes.")
]
Keep = Annotated[
    bool, typer.Option("--keep", help="Leave what it changed as it is, to look into it; says what that is.")
]
Against = Annotated[
    str | None,
    typer.Option(
        help="Take protection away first: `control` is the drill's own negative control, which must fail; or one of "
        "k8s/controls by name, or the file of a patch of the Deployment.",
        show_default=False,
    ),
]

EXIT_CODES = """Leaves a folder below runs/ with report.html. Ctrl-C puts back what was changed. Exit code 1: the \
service did not do what it should. Exit code 2: the drill could not run."""


@app.command("list")
def list_drills() -> None:
    """Say each drill, with what it is to show and its negative control."""
    project = Project.find()
    for kind in DISRUPTIONS:
        platforms = " and ".join(sorted(kind.platforms))
        hypothesis = kind(project.configuration.drills.disruptions).hypothesis
        typer.echo(f"{kind.title}\n  {hypothesis}\n  negative control: {kind.negative_control}; runs on {platforms}")
    typer.echo(f"scale\n  {Scale(project.configuration.drills.scale).hypothesis}\n  runs on kind")


@app.command("all")
def run_all(
    platform: Where = Platform.KIND,
    controls: Annotated[
        bool, typer.Option("--controls", help="Run the negative control of each instead: it must fail.")
    ] = False,
    times: Annotated[int, typer.Option(min=1, help="Run each this many times.")] = 1,
) -> None:
    """Run every shutdown drill, one after the other, and show a table: about a quarter of an hour.

    Exit code 1 where one did not come out as it should. Ctrl-C puts back what was changed.
    """
    project = Project.find()
    every.show(every.run(project, target_of(project, platform), controls=controls, times=times))


@app.command()
def scale(
    comparison: Annotated[
        bool, typer.Option("--compare", help="Twice the same load: with CPU as the only trigger, then with both.")
    ] = False,
    keep: Keep = False,
) -> None:
    """Raise the load to four times what a pod can do, and clock how the pods follow, up and down.

    Takes about six minutes, twice that with --compare, and leaves a folder below runs/ with report.html. Ctrl-C puts
    back what was changed. Exit code 1: the service or its autoscaler did not do what it should. Exit code 2: the drill
    could not run.
    """
    project = Project.find()
    if comparison:
        verdict, folder = scale_comparison.run(project)
    else:
        target = KindTarget(KindPlatform(project))
        verdict, folder = experiment.run(Scale(project.configuration.drills.scale), target, keep=keep)
    conclude(project, verdict, folder)


def target_of(project: Project, platform: Platform) -> Target:
    """What a drill on this platform acts on."""
    if platform is Platform.LOCAL:
        return LocalTarget(project)
    return KindTarget(KindPlatform(project))


def conclude(project: Project, verdict: Verdict, folder: RunFolder) -> None:
    """Shows the verdict, and where all of it is. Raises FailedError where it is not passed."""
    for check in verdict.checks:
        message(
            f"{'  ok' if check.passed else 'FAIL'}  {check.name}: {check.observed}"
            + ("" if check.passed else f"; expected {check.expected}")
        )
    for warning in verdict.warnings:
        message(f"note  {warning}")
    message(f"Report: {folder.path('report.html').relative_to(project.root)}")
    if not verdict.passed:
        raise FailedError(verdict.summary, f"Open {folder.path('report.html')}")
    message(verdict.summary)


def _command(kind: type[Disruption[Any]]) -> Callable[..., None]:
    def run(platform: Where = Platform.KIND, against: Against = None, keep: Keep = False) -> None:
        project = Project.find()
        drill = kind(project.configuration.drills.disruptions, against)
        verdict, folder = experiment.run(drill, target_of(project, platform), keep=keep)
        conclude(project, verdict, folder)

    run.__doc__ = f"{kind.__doc__}\n\n{EXIT_CODES}"
    return run


for _kind in DISRUPTIONS:
    app.command(_kind.title)(_command(_kind))
