"""`drydock env`: print the variables that point a shell at the cluster."""

import shlex

import typer

from drydock.cluster.platform import KindPlatform
from drydock.core.project import Project


def env() -> None:
    """Print the variables that point a shell at the cluster, with drydock's tools first on PATH.

    Use it like this: eval "$(drydock env)".
    """
    for name, value in KindPlatform(Project.find()).tilt.environment.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
