"""The command line: all commands, and the exit codes of errors."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.markup import escape

from drydock.cli.addons import addons
from drydock.cli.check import check
from drydock.cli.dashboards import app as dashboards
from drydock.cli.doctor import doctor
from drydock.cli.down import down
from drydock.cli.drill import app as drills
from drydock.cli.env import env
from drydock.cli.explain import explain
from drydock.cli.load import load
from drydock.cli.runs import app as runs
from drydock.cli.smoke import smoke
from drydock.cli.status import status
from drydock.cli.up import up
from drydock.core.console import message, output_console
from drydock.core.errors import CannotRunError, FailedError, InconclusiveError

INTERRUPTED = 130  # Typer's exit code after Ctrl-C: 128 + SIGINT, as in a shell

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command()(up)
app.command()(down)
app.command()(status)
app.command()(doctor)
app.command()(env)
app.command()(addons)
app.command()(smoke)
app.command()(load)
app.add_typer(drills, name="drill")
app.command()(explain)
app.command()(check)
app.add_typer(runs, name="runs")
app.add_typer(dashboards, name="dashboards")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"drydock {version('drydock')}")
        raise typer.Exit


@app.callback()
def options(
    asked: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A local production-parity environment for a FastAPI service."""


# The word for each exit code.
RESULTS = {
    FailedError.exit_code: "failed",
    CannotRunError.exit_code: "cannot run",
    InconclusiveError.exit_code: "inconclusive",
}


def main() -> None:
    """Runs the command line. Exit codes: 0 passed, 1 failed, 2 could not run, 3 inconclusive, 130 Ctrl-C."""
    try:
        app()
    except FailedError as error:
        console = output_console(stderr=True)
        result = RESULTS[error.exit_code]
        console.print(f"[bold red]{result}[/]  {escape(error.reason)}", soft_wrap=True)
        if error.remedy:
            console.print(f"[bold]remedy[/]  {escape(error.remedy)}", soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            message("Interrupted. Run the same command again to continue.")
        raise
