"""`drydock check`: check the manifests without a cluster."""

import json
from collections.abc import Sequence
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from drydock.check.catalogue import RULES
from drydock.check.rule import Finding, Result, apply
from drydock.check.sarif import sarif
from drydock.check.subject import Subject
from drydock.core.errors import FailedError
from drydock.core.project import Project
from drydock.runs.junit import junit
from drydock.runs.verdict import Check, Verdict


class Format(StrEnum):
    """The formats of the results."""

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
    listing: Annotated[bool, typer.Option("--list", help="List each rule with its source, and check nothing.")] = False,
) -> None:
    """Check, without a cluster, that manifests and command can keep the drills' objectives.

    Exit code 1: a rule does not hold. Exit code 2: the check could not run.
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
    if broken := [result.rule.identifier for result in results if result.broken]:
        raise FailedError(f"{len(broken)} of {len(results)} rules do not hold: {', '.join(broken)}")


def written(results: Sequence[Result], form: Format) -> str:
    """The results in one of the formats."""
    match form:
        case Format.SARIF:
            return json.dumps(sarif(results, version("drydock")), indent=2)
        case Format.JUNIT:
            return junit(_verdict(results), 0).rstrip()
    return "\n".join(line for result in results for line in result.lines)


def _verdict(results: Sequence[Result]) -> Verdict:
    checks = [
        Check(it.rule.identifier, not it.broken, it.rule.sentence, " ".join(map(_sentences, it.broken or it.findings)))
        for it in results
    ]
    holding = sum(check.passed is True for check in checks)
    return Verdict("check", "check", f"{holding} of {len(results)} rules hold", checks, {})


def _sentences(finding: Finding) -> str:
    return f"{finding.workload}: {finding.observed}. {finding.remedy}"
