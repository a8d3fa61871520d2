"""`drydock check`: what a person types."""

import json
from collections.abc import Sequence
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from drydock.check.catalogue import RULES
from drydock.check.rule import Result, apply
from drydock.check.sarif import sarif
from drydock.check.subject import Subject
from drydock.core.errors import FailedError
from drydock.core.project import Project
from drydock.runs.junit import junit
from drydock.runs.verdict import Check, Verdict


class Format(StrEnum):
    """How the results are written."""

    TEXT = "text"
    SARIF = "sarif"
    JUNIT = "junit"


def check(
    overlay: Annotated[str, typer.Option(help="A folder of k8s/overlays.")] = "parity",
    against: Annotated[
        str | None,
        typer.Option(
            help="Lay a patch over the Deployment: one of k8s/controls by name, or a file.", show_default=False
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="sarif and junit are for a CI system.")] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option(help="Write to a file instead of the terminal.", show_default=False)
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Say each rule and its source, and check nothing.")] = False,
) -> None:
    """Check without a cluster whether manifests and command can keep what the drills promise.

    Exit code 1: a rule does not hold. Exit code 2: it could not run.
    """
    if listing:
        typer.echo("\n".join(f"{rule.identifier}\n  {rule.sentence} [{rule.source}]" for rule in RULES))
        return
    results = apply(RULES, Subject.render(Project.find(), overlay, against))
    text = written(results, form)
    if output:
        output.write_text(text + "\n")
    else:
        typer.echo(text)
    if broken := [result.rule.identifier for result in results if not result.finding.holds]:
        raise FailedError(f"{len(broken)} of {len(results)} rules do not hold: {', '.join(broken)}")


def written(results: Sequence[Result], form: Format) -> str:
    """The results in one of the formats."""
    match form:
        case Format.SARIF:
            return json.dumps(sarif(results, version("drydock")), indent=2)
        case Format.JUNIT:
            return junit(_verdict(results), 0).rstrip()
    return "\n".join(result.line for result in results)


def _verdict(results: Sequence[Result]) -> Verdict:
    checks = [
        Check(it.rule.identifier, it.finding.holds, it.rule.sentence, f"{it.finding.observed}. {it.finding.remedy}")
        for it in results
    ]
    holding = sum(result.finding.holds for result in results)
    return Verdict("check", "check", f"{holding} of {len(results)} rules hold", checks, {})
