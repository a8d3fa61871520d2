"""`drydock explain`: why requests are lost, and what to change."""

from collections.abc import Iterable
from typing import Annotated

import typer

from drydock.analysis import disruption_analysis
from drydock.analysis.advice import advice_on
from drydock.analysis.causes import SENTENCES, Cause
from drydock.core.errors import CannotRunError
from drydock.core.project import Project, Shutdown
from drydock.runs.folder import RunFolder


def explain(
    what: Annotated[
        str | None,
        typer.Argument(
            help="A cause, or a run: its folder, the beginning or end of it, or `last`. Default: every cause.",
            metavar="[CAUSE|RUN]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Explain why requests are lost and what to change: for one cause, or for all causes of a drill's run.

    Exit code 2: no such cause and no such run.
    """
    for text in _lines(what):
        typer.echo(text)


def _lines(what: str | None) -> Iterable[str]:
    if what is None:
        return [_cause(cause, _shutdown()) for cause in Cause]
    if what in set(Cause):
        return [_cause(Cause(what), _shutdown())]
    return _run(what)


def _run(name: str) -> Iterable[str]:
    project = Project.find()
    try:
        folder = RunFolder.find(project, name)
    except CannotRunError as error:
        raise CannotRunError(
            f"{name!r} is no cause and no run", "See `drydock explain` and `drydock runs list`."
        ) from error
    content = folder.read_json(disruption_analysis.FILE)
    yield f"{folder.name}: {content['lost']:,} of {content['sent']:,} requests lost"
    for cause, count in content["causes"].items():
        yield f"\n{count:,} requests: {_cause(Cause(cause), project.configuration.shutdown)}"


def _shutdown() -> Shutdown | None:
    """The variables of the project's own shutdown; None outside of a project: every cause is explained there too."""
    try:
        return Project.find().configuration.shutdown
    except CannotRunError:
        return None


def _cause(cause: Cause, shutdown: Shutdown | None) -> str:
    advice = advice_on(cause, shutdown)
    return f"{cause}\n  {SENTENCES[cause]}\n  change: {advice.change}\n  source: {advice.source}"
