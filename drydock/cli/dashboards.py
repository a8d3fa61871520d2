"""`drydock dashboards`: keep the dashboards of Grafana in git."""

from typing import Annotated

import typer

from drydock.core.console import message
from drydock.core.errors import FailedError
from drydock.core.project import Project, TelemetryPlatform
from drydock.dashboards import lint as linter
from drydock.dashboards import sync
from drydock.dashboards.document import FOLDER, files, read, text
from drydock.dashboards.lint import KUSTOMIZATION
from drydock.dashboards.scaffold import scaffold
from drydock.telemetry.grafana import Grafana

app = typer.Typer(help="Keep Grafana's dashboards in git: tune them on the page, pull, commit.", no_args_is_help=True)


PlatformOption = Annotated[TelemetryPlatform, typer.Option("--platform", help="The platform of the Grafana.")]


@app.command()
def pull(platform: PlatformOption = TelemetryPlatform.KIND) -> None:
    """Write the dashboards of Grafana to the files.

    Includes every dashboard with a file, and those tagged `drydock` without one. Writes a normal form, so that
    `git diff` shows only what a person changed. Exit code 2: Grafana is not reachable.
    """
    project = Project.find()
    with _grafana(project, platform) as grafana:
        different = sync.pull(project.root, grafana)
    for change in different:
        message(change.summary)
        if not linter.registered(project.root, change.uid):
            message(_registration(change.uid))
    pulled = sum(change.stored is not None for change in different)
    message(f"Pulled: {pulled}. See `git diff {FOLDER}`." if pulled else "Nothing to pull.")


@app.command()
def push(platform: PlatformOption = TelemetryPlatform.KIND) -> None:
    """Write the files to Grafana, replacing its dashboards, and verify that Grafana returns the same."""
    project = Project.find()
    with _grafana(project, platform) as grafana:
        pushed = sync.push(project.root, grafana)
    message(f"Pushed: {', '.join(change.uid for change in pushed)}." if pushed else "Grafana and the files are equal.")


@app.command()
def diff(platform: PlatformOption = TelemetryPlatform.KIND) -> None:
    """Show the differences between Grafana and the files, both in normal form. Exit code 1: there are some."""
    project = Project.find()
    with _grafana(project, platform) as grafana:
        different = [change for change in sync.changes(project.root, grafana) if not change.same]
    for change in different:
        typer.echo("\n".join(change.diff))
    if different:
        raise typer.Exit(FailedError.exit_code)
    message("Grafana and the files are equal.")


@app.command()
def lint(
    report: Annotated[bool, typer.Option("--report", help="Also print the contents of each dashboard.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="First write the files in the normal form.")] = False,
) -> None:
    """Check the files, and print a remedy for each finding. Needs no Grafana. Exit code 1: there are findings."""
    root = Project.find().root
    for path in linter.fix(root) if fix else []:
        message(f"Written in the normal form: {path.relative_to(root)}")
    findings = linter.lint(root)
    linter.print_findings(findings)
    if report:
        linter.print_report(linter.count(read(path)) for path in files(root).values())
    if findings:
        raise typer.Exit(FailedError.exit_code)
    message(f"{len(files(root))} dashboards, no findings.")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and dashes, such as order-book.")],
) -> None:
    """Create a dashboard file with the common variables, annotations and links, and one panel."""
    root = Project.find().root
    dashboard, path = scaffold(name), root / FOLDER / f"{name}.json"
    if path.exists():
        raise FailedError(f"{path.relative_to(root)} exists", "Choose another name, or edit it.")
    path.write_text(text(dashboard))
    message(f"Written: {path.relative_to(root)}")
    if not linter.registered(root, name):
        message(_registration(name))
    message("Then `drydock dashboards push`, tune it in Grafana, and `drydock dashboards pull`.")


def _registration(name: str) -> str:
    return f"The cluster does not provision it yet. Add `- dashboards/{name}.json` under `files` in {KUSTOMIZATION}."


def _grafana(project: Project, platform: TelemetryPlatform) -> Grafana:
    return Grafana(project.configuration.telemetry.pages(platform).grafana)
