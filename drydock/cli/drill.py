"""`drydock drill`: list the drills and run them."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from drydock.cluster.platform import KindPlatform
from drydock.core.console import message
from drydock.core.project import Disruptions, Project
from drydock.drills import all as every
from drydock.drills import experiment, scale_comparison, soak
from drydock.drills.disruption import Disruption
from drydock.drills.drill_catalogue import DISRUPTIONS
from drydock.drills.scale import Scale
from drydock.runs.folder import RunFolder
from drydock.runs.verdict import Result, Verdict
from drydock.targets.kind import KindTarget
from drydock.targets.local import LocalTarget
from drydock.targets.target import Target

app = typer.Typer(
    help="Disrupt the service as production does, and decide whether it keeps its objectives.", no_args_is_help=True
)


class Platform(StrEnum):
    """The platforms of the shutdown drills."""

    KIND = "kind"
    LOCAL = "local"


Where = Annotated[
    Platform, typer.Option("--platform", help="local needs no Docker. It proves nothing about Kubernetes.")
]
Keep = Annotated[
    bool,
    typer.Option(
        "--keep", help="Keep the changes of the drill for inspection. `drydock drill restore` restores the service."
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        help="Remove a protection first. `control` is the negative control of the drill, which must fail. Otherwise: "
        "a name in k8s/controls, or a file with a patch of the Deployment.",
        show_default=False,
    ),
]

Rate = Annotated[
    float | None,
    typer.Option(
        min=1,
        help="Requests a second. A slow machine needs fewer: it then sends for longer. Default: drydock.toml.",
        show_default=False,
    ),
]

EXIT_CODES = """Writes a folder below runs/ with report.html. Ctrl-C restores the service. Exit code 1: the service \
missed an objective. Exit code 2: the drill could not run. Exit code 3: the evidence does not suffice."""

WORDS = {Result.PASSED: "ok", Result.FAILED: "FAIL", Result.UNKNOWN: "unknown"}


@app.command("list")
def list_drills() -> None:
    """List the drills with their hypotheses and negative controls."""
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
        bool, typer.Option("--controls", help="Run the negative control of each drill instead. It must fail.")
    ] = False,
    times: Annotated[int, typer.Option(min=1, help="Run each drill this many times.")] = 1,
    rate: Rate = None,
) -> None:
    """Run every shutdown drill in turn, and print a table. Takes about 15 minutes.

    Ctrl-C restores the service. Exit code 1: a drill had an unexpected result.
    """
    project = Project.find()
    target = target_of(project, platform)
    drills = every.chosen(target, settings_of(project, rate), controls=controls, times=times)
    every.show(every.run(drills, target))


def _positive(hours: float) -> float:
    """Raises BadParameter, a usage error, if the hours are 0, negative or not a number."""
    if not hours > 0:
        raise typer.BadParameter("must be more than 0")
    return hours


@app.command("soak")
def run_soak(
    hours: Annotated[float, typer.Option(callback=_positive, help="Start no further drill after this time.")],
    platform: Where = Platform.KIND,
    rate: Rate = None,
) -> None:
    """Repeat the drills that may lose nothing, and add their evidence up.

    Ctrl-C restores the service. Exit code 1: a drill failed. Exit code 3: one was inconclusive.
    """
    project = Project.find()
    target = target_of(project, platform)
    lines = every.run(soak.chosen(target, settings_of(project, rate), hours), target, soak.summary)
    message(soak.summary(lines))
    every.show(lines)


@app.command()
def restore() -> None:
    """Restore the service after a drill that was killed: its pods, autoscaler, database, schema and nodes.

    Idempotent: safe to run again. Exit code 2: the drill still runs, or a part could not be restored.
    """
    holder = KindTarget(KindPlatform(Project.find())).restore_left_changes()
    message(f"The service is restored to its state before {holder}." if holder else "There is nothing to restore.")


@app.command()
def scale(
    comparison: Annotated[
        bool, typer.Option("--compare", help="Run the same load twice: with CPU as the only trigger, then with both.")
    ] = False,
    keep: Keep = False,
) -> None:
    """Raise the load to four times the capacity of a pod, and measure how fast the pods follow, up and down.

    Takes about six minutes, twice that with --compare. Writes a folder below runs/ with report.html. Ctrl-C restores
    the service. Exit code 1: the service or its autoscaler missed an objective. Exit code 2: the drill could not run.
    """
    project = Project.find()
    if comparison:
        verdict, folder = scale_comparison.run(project)
    else:
        target = KindTarget(KindPlatform(project))
        verdict, folder = experiment.run(Scale(project.configuration.drills.scale), target, keep=keep)
    conclude(project, verdict, folder)


def settings_of(project: Project, rate: float | None) -> Disruptions:
    """The settings of the shutdown drills, with another rate if one is given."""
    settings = project.configuration.drills.disruptions
    return settings.model_copy(update={"rate": rate}) if rate else settings


def target_of(project: Project, platform: Platform) -> Target:
    """The target of a drill on this platform."""
    if platform is Platform.LOCAL:
        return LocalTarget(project)
    return KindTarget(KindPlatform(project))


def conclude(project: Project, verdict: Verdict, folder: RunFolder) -> None:
    """Prints the verdict and the path of the report.

    Raises:
        FailedError: a check failed.
        InconclusiveError: none failed, and the evidence of one was not observed.
    """
    for check in verdict.checks:
        message(
            f"{WORDS[check.result]:>7}  {check.name}: {check.observed}"
            + ("" if check.passed else f"; expected {check.expected}")
        )
    for warning in verdict.warnings:
        message(f"note  {warning}")
    message(f"Report: {folder.path('report.html').relative_to(project.root)}")
    verdict.require(f"Open {folder.path('report.html')}")
    message(verdict.summary)


def _command(kind: type[Disruption[Any]]) -> Callable[..., None]:
    def run(platform: Where = Platform.KIND, against: Against = None, rate: Rate = None, keep: Keep = False) -> None:
        project = Project.find()
        drill = kind(settings_of(project, rate), against)
        verdict, folder = experiment.run(drill, target_of(project, platform), keep=keep)
        conclude(project, verdict, folder)

    run.__doc__ = f"{kind.__doc__}\n\n{EXIT_CODES}"
    return run


for _kind in DISRUPTIONS:
    app.command(_kind.title)(_command(_kind))
