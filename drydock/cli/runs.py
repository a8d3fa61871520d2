"""`drydock runs`: list, show and compare earlier runs."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from drydock.core.console import message, output_console
from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.report import load_table
from drydock.requests import compare as comparing
from drydock.requests import records
from drydock.requests.compare import Difference
from drydock.runs import verdict as verdicts
from drydock.runs.folder import CONFIGURATION, RunFolder

app = typer.Typer(help="List the runs, show one, compare two.", no_args_is_help=True)

# Two runs that differ in one of these are not comparable without a remark.
CIRCUMSTANCES = ("scenario", "settings", "workers", "mode", "commit", "images", "autoscalers")

Name = Annotated[
    str, typer.Argument(help="A folder below runs/: its name, or the beginning or end of it. `last` is the newest.")
]


@app.command("list")
def list_runs() -> None:
    """List the runs, newest first, with a one-line verdict."""
    found = RunFolder.all(Project.find())
    if not found:
        message("No runs yet. Start with: drydock load steady")
    for run in found:
        output_console().print(f"{run.name}  {_line(run)}", soft_wrap=True)


@app.command()
def show(name: Name = "last") -> None:
    """Show a run: configuration, figures of each route, share of each pod, verdict."""
    run = RunFolder.find(Project.find(), name)
    verdict = run.read_json(verdicts.FILE)
    for key, value in run.read_json(CONFIGURATION).items():
        output_console().print(f"[dim]{key}[/]  {escape(str(value))}", soft_wrap=True)
    if run.path(records.FILE).exists():
        load_table.show(run.records())
    for check in verdict["checks"]:
        result = {True: "[green]passed[/]", False: "[red]missed[/]"}.get(check["passed"], "[yellow]unknown[/]")
        line = f"{check['name']}: expected {check['expected']}, observed {check['observed']}"
        output_console().print(f"{result}  {escape(line)}", soft_wrap=True)
    for warning in verdict.get("warnings", []):
        message(f"warning: {warning}")
    message(f"{run.folder}\n{verdict['summary']}")


@app.command()
def compare(a: Name, b: Name) -> None:
    """Compare run B with run A, and separate real differences from noise.

    Each run is cut into ten windows of time, and each figure is computed in every window. A difference of the means is
    noise if it is below 2.5 standard errors, which follow from the spread of the windows.
    """
    project = Project.find()
    runs = RunFolder.find(project, a), RunFolder.find(project, b)
    first, second = (run.records() for run in runs)
    differences = list(comparing.compare(first, second))
    if not differences:
        raise CannotRunError("the two runs have no figure in common", "Compare longer runs of the same routes.")
    for difference in _circumstances(*runs):
        message(difference)
    output_console().print(_table(differences))
    message(_summary(differences))


def _line(run: RunFolder) -> str:
    try:
        verdict = run.read_json(verdicts.FILE)
    except CannotRunError as error:
        return f"[dim]{escape(error.reason)}[/]"
    color = "green" if verdict["passed"] else "yellow" if verdict.get("result") == verdicts.Result.UNKNOWN else "red"
    return f"[{color}]{escape(verdict['summary'])}[/]"


def _circumstances(a: RunFolder, b: RunFolder) -> Iterable[str]:
    first, second = a.read_json(CONFIGURATION), b.read_json(CONFIGURATION)
    for key in CIRCUMSTANCES:
        if first.get(key) != second.get(key):
            yield f"{key} differs: {first.get(key)} and {second.get(key)}"


def _table(differences: Sequence[Difference]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("route")
    table.add_column("figure")
    for title in ("A", "B", "B - A", "noise"):
        table.add_column(title, justify="right")
    table.add_column("")
    for item in differences:
        share = f" ({item.share:+.0%})" if item.share is not None else ""
        cells = f"{item.a:.1f}", f"{item.b:.1f}", f"{item.delta:+.1f}{share}", f"±{item.noise:.1f}"
        table.add_row(item.route, item.figure, *cells, "differs" if item.significant else "[dim]noise[/]")
    return table


def _summary(differences: Sequence[Difference]) -> str:
    real = [f"{item.route} {item.figure} {item.delta:+.1f}" for item in differences if item.significant]
    return f"{len(real)} of {len(differences)} figures differ by more than noise" + (
        f": {', '.join(real)}" if real else ""
    )
