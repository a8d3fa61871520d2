"""`drydock addons`: bring the add-ons of the cluster to what a stack needs."""

from typing import Annotated

import typer

from drydock.cluster.platform import KindPlatform
from drydock.cluster.stack import Mode, Part, Stack
from drydock.core.project import Project


def addons(
    mode: Annotated[Mode, typer.Option(help="As in `drydock up`.")] = Mode.DEV,
    without: Annotated[list[Part], typer.Option(help="As in `drydock up`.")] = [],  # noqa: B006 - Typer copies it
) -> None:
    """Install or remove the add-ons of the cluster (metrics-server, KEDA) that a stack needs or excludes."""
    KindPlatform(Project.find()).bring_addons(Stack(mode, without=tuple(without)))
