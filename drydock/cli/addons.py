"""`drydock addons`: bring the add-ons of the cluster to what a stack needs."""

from typing import Annotated

import typer

from drydock.cluster.platform import KindPlatform
from drydock.cluster.stack import Mode, Part, Stack
from drydock.core.project import Project


def addons(
    mode: Annotated[Mode, typer.Option(help="As of `up`.")] = Mode.DEV,
    without: Annotated[list[Part], typer.Option(help="As of `up`.")] = [],  # noqa: B006 - Typer copies it
) -> None:
    """Bring the cluster's add-ons (metrics-server, KEDA) to what a stack wants, as `up` and the Tiltfile do."""
    KindPlatform(Project.find()).bring_addons(Stack(mode, without=tuple(without)))
