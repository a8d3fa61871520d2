"""The command line: what a person types, and nothing else."""

import shlex
import shutil
import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape

from drydock import doctor as examination
from drydock import engine, registry
from drydock import smoke as smoke_test
from drydock import status as surveying
from drydock.accounting.cli import explain
from drydock.check.cli import check
from drydock.checks import Level
from drydock.dashboards.cli import app as dashboards
from drydock.drills.cli import app as drills
from drydock.failures import CannotRunError, FailedError
from drydock.kind_platform import KindPlatform
from drydock.load.cli import load
from drydock.local.platform import DISCLAIMER, LocalPlatform
from drydock.progress import output_console, say, step
from drydock.project import Project, TelemetryPlatform
from drydock.runs.cli import app as runs
from drydock.smoke import Load
from drydock.stack import Mode, Part, Profile, Stack
from drydock.tilt import PORT as TILT_PORT

INTERRUPTED = 130  # what Typer makes of Ctrl-C: 128 + SIGINT, as a shell reports it

app = typer.Typer(
    help="A local production-parity environment for a FastAPI service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(dashboards, name="dashboards")
app.add_typer(drills, name="drill")
app.command()(load)
app.command()(explain)
app.command()(check)
app.add_typer(runs, name="runs")


class Choice(StrEnum):
    """The platforms that `up` starts."""

    KIND = "kind"
    LOCAL = "local"


@app.command()
def up(
    mode: Annotated[
        Mode, typer.Option(help="dev: an edit is live in a second. parity: exactly what production runs.")
    ] = Mode.DEV,
    profile: Annotated[
        Profile, typer.Option(help="small: less memory for the telemetry stack, for a machine of 8 GiB.")
    ] = Profile.FULL,
    without: Annotated[
        list[Part], typer.Option(help="Leave a part of the telemetry stack, or KEDA, out; can be repeated.")
    ] = [],  # noqa: B006 - Typer copies it
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when everything is ready, and leave it running.")
    ] = False,
    platform: Annotated[
        Choice | None, typer.Option(help="Default: kind, or local where Docker is not reachable.", show_default=False)
    ] = None,
) -> None:
    """Start everything: tools, cluster, registry, images, the service under Tilt.

    Does only what is missing, so it can be run again at any time, also after Ctrl-C. Without Docker the local platform
    is started instead: the service's own commands beside an embedded PostgreSQL.
    """
    project = Project.find()
    unreachable = None if platform else _why_unreachable()
    if platform is Choice.LOCAL or unreachable:
        say(DISCLAIMER + (f" {unreachable}" if unreachable else ""))
        local = LocalPlatform(project)
        if detach:
            local.detach()
        else:
            local.run()
        return
    examination.refuse_if_blocked(examination.examine(project))
    kind = KindPlatform(project)
    stack = Stack(mode, profile, tuple(without))
    kind.prepare(stack)
    if not detach:
        say(f"The service answers at {kind.url} in a moment. Ctrl-C stops Tilt and leaves the cluster.")
        kind.tilt.run(stack)
    kind.tilt.detach(stack)
    with step(f"service, mode {mode}") as progress:
        kind.tilt.wait_until_ready(progress)
    say(f'Ready at {kind.url}. Tilt: http://localhost:{TILT_PORT}. kubectl: eval "$(drydock env)".')
    pages = project.configuration.telemetry.kind
    say(f"Grafana: {pages.grafana}. Jaeger: {pages.jaeger}. Prometheus: {pages.prometheus}.")


@app.command()
def addons(
    mode: Annotated[Mode, typer.Option(help="As of `up`.")] = Mode.DEV,
    without: Annotated[list[Part], typer.Option(help="As of `up`.")] = [],  # noqa: B006 - Typer copies it
) -> None:
    """Bring the cluster's add-ons (metrics-server, KEDA) to what a stack wants, as `up` and the Tiltfile do."""
    KindPlatform(Project.find()).bring_addons(Stack(mode, without=tuple(without)))


@app.command()
def down(
    everything: Annotated[
        bool, typer.Option("--all", help="Also remove the registry with its images, and the local database.")
    ] = False,
) -> None:
    """Stop what `up` started: Tilt, the cluster, the local platform. The registry stays: it is the image cache."""
    project = Project.find()
    stopped = ["local platform"] if LocalPlatform(project).stop() else []
    if unreachable := _why_unreachable():
        say(f"There is no cluster to look for: {unreachable}")
    else:
        stopped += ["kind platform"] if KindPlatform(project).remove() else []
        stopped += ["registry and its images"] if everything and registry.remove() else []
    if everything:
        shutil.rmtree(project.state, ignore_errors=True)
    say(f"Gone: {', '.join(stopped)}." if stopped else "Nothing was running.")


@app.command()
def status() -> None:
    """Show what runs: nodes, pods, Tilt's resources, the service's readiness. Exit code 1 when not all is well."""
    lines = surveying.survey(Project.find())
    if not lines:
        raise FailedError("nothing runs", "Start it with `drydock up`.")
    surveying.report(lines)
    if not all(line.well for line in lines):
        raise typer.Exit(FailedError.exit_code)


@app.command()
def smoke(
    platform: Annotated[TelemetryPlatform, typer.Option(help="Where the service runs.")] = TelemetryPlatform.KIND,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Requests a second.")] = 20,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long to send.")] = 60,
) -> None:
    """Send steady traffic from inside the platform and account for every request. Exit code 1 when one was lost.

    Ctrl-C ends it early, with the account of what was sent by then.
    """
    smoke_test.run(Project.find(), platform, Load(rate, seconds))


@app.command()
def doctor() -> None:
    """Check this machine: each line says ok or the remedy. Exit code 2 when something stops `up`."""
    project = Project.find()
    findings = [*examination.examine(project), *examination.autoscalers(project)]
    examination.report(findings)
    if any(finding.level is Level.BLOCKED for finding in findings):
        raise typer.Exit(CannotRunError.exit_code)


@app.command()
def env() -> None:
    """Print what a shell needs to reach the cluster with the same tools: eval "$(drydock env)"."""
    for name, value in KindPlatform(Project.find()).tilt.environment.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def main() -> None:
    """Runs the command line; the exit code is 0 (well), 1 (failed) or 2 (could not run)."""
    try:
        app()
    except FailedError as error:
        console = output_console(stderr=True)
        verdict = "cannot run" if isinstance(error, CannotRunError) else "failed"
        console.print(f"[bold red]{verdict}[/]  {escape(error.reason)}", soft_wrap=True)
        if error.remedy:
            console.print(f"[bold]remedy[/]  {escape(error.remedy)}", soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            say("Interrupted. Run the same command again to go on.")
        raise


def _why_unreachable() -> str | None:
    """Why there is no container engine, or None where there is one."""
    try:
        engine.information()
    except CannotRunError as error:
        return error.reason
    return None
