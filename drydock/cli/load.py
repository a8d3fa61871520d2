"""`drydock load`: run a load scenario."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from drydock.cluster.platform import KindPlatform
from drydock.core.console import message, output_console, step
from drydock.core.project import Project
from drydock.load import live_load, objectives, scenarios
from drydock.load.locust_run import LoadRun, LoadSample
from drydock.load.scenarios import Parameter
from drydock.load.verdict import decide, lost
from drydock.report import load_table
from drydock.requests.records import Record
from drydock.runs.configuration import describe
from drydock.runs.folder import CONFIGURATION, RunFolder
from drydock.runs.verdict import Result, Verdict


def load(
    scenario: Annotated[str, typer.Argument(help="The name of a scenario. `drydock load --list` lists them.")] = "",
    setting: Annotated[
        list[str], typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of the scenario. Can be repeated.")
    ] = [],  # noqa: B006 - Typer copies it
    users: Annotated[str, typer.Option(help="Short for --set users=…", show_default=False)] = "",
    seconds: Annotated[str, typer.Option(help="Short for --set seconds=…", show_default=False)] = "",
    workers: Annotated[
        int, typer.Option(min=1, max=16, help="Number of locust workers. Each uses at most one core.")
    ] = 1,
    against: Annotated[
        Path | None,
        typer.Option("--objectives", help=f"The file of objectives. Default: {objectives.FILE}.", show_default=False),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the scenarios and their parameters.")] = False,
) -> None:
    """Put load on the service from inside the kind cluster, and compare the result with the objectives.

    Writes a folder below runs/. Ctrl-C ends the load early and keeps the results so far. Exit code 1: the service
    missed an objective, or the load was not the one asked for. Exit code 2: the load could not run. Exit code 3: Ctrl-C
    ended it early.
    """
    project = Project.find()
    if listing or scenario in ("", "list"):
        _list(project)
        return
    shorts = {name: value for name, value in {"users": users, "seconds": seconds}.items() if value}
    settings = {**scenarios.settings_of(setting), **shorts}
    scenarios.find(project, scenario).environment(settings, scenarios.users(project))
    limits = objectives.read(against or project.root / objectives.FILE)
    platform = KindPlatform(project)
    verdict = run(platform, scenario, settings, workers, limits)
    verdict.require("Check the run's folder, and the dashboards for the time of the run.")
    message(verdict.summary)


def run(
    platform: KindPlatform,
    scenario: str,
    settings: Mapping[str, str],
    workers: int,
    limits: objectives.ObjectivesFile,
) -> Verdict:
    """Runs the load, prints the results and writes the folder."""
    load_run = LoadRun(platform, scenario, settings, workers)
    samples: list[LoadSample] = []
    try:
        with step("load generator") as progress:
            load_run.start(progress)
            progress.detail = load_run.image
    except KeyboardInterrupt:
        load_run.remove()
        raise
    folder = RunFolder.create(platform.project, scenario)
    chosen = {"scenario": scenario, "settings": dict(settings), "workers": workers, "generator": load_run.image}
    folder.write_json(CONFIGURATION, describe(platform, **chosen))
    interrupted = _follow(load_run, scenario, samples)
    with step("results") as progress:
        load_run.collect(folder.folder)
        progress.detail = str(folder.folder.relative_to(platform.project.root))
    sent = folder.records()
    verdict = decide(scenario, sent, limits.of(scenario), samples, workers=workers, interrupted=interrupted)
    conclude(folder, verdict, sent, samples)
    return verdict


def conclude(folder: RunFolder, verdict: Verdict, sent: Sequence[Record], samples: Sequence[LoadSample]) -> None:
    """Writes the verdict beside the records in the folder, and prints both."""
    folder.conclude(verdict, samples[-1].time - samples[0].time if samples else 0.0)
    load_table.show(sent)
    for warning in verdict.warnings:
        message(f"warning: {warning}")
    for check in (*verdict.failed, *verdict.unknown):
        word = "missed" if check.result is Result.FAILED else "unknown"
        message(f"{word}: {check.name}: expected {check.expected}, observed {check.observed}")
    if losses := lost(sent):
        message(f"lost: {losses}")


def _follow(load_run: LoadRun, scenario: str, samples: list[LoadSample]) -> bool:
    """Shows each progress sample until the end. Returns whether Ctrl-C ended the run early."""
    with step(f"load, {scenario}") as progress:

        def show(sample: LoadSample) -> None:
            samples.append(sample)
            progress.detail = str(sample)

        return live_load.follow(load_run, show)


def _list(project: Project) -> None:
    console = output_console()
    found = scenarios.all_scenarios(project)
    for scenario in found:
        console.print(f"[bold]{scenario.name}[/]  {escape(scenario.text)}", soft_wrap=True)
        _list_parameters(scenario.own)
    console.print("[bold]all scenarios[/]")
    _list_parameters(found[0].common)


def _list_parameters(parameters: Sequence[Parameter]) -> None:
    for parameter in parameters:
        line = f"  {parameter.name:<20} {parameter.text} ([bold]{escape(parameter.default)}[/])"
        output_console().print(line, soft_wrap=True)
