"""`drydock env`: what a shell needs to reach the cluster."""

import shlex

import typer

from drydock.cluster.platform import KindPlatform
from drydock.core.project import Project


def env() -> None:
    """Print what a shell needs to reach the cluster with the same tools: eval "$(drydock env)"."""
    for name, value in KindPlatform(Project.find()).tilt.environment.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
