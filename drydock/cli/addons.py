"""`drydock addons`: install the add-ons that a stack needs."""

from typing import Annotated

import typer

from drydock.cluster.platform import KindPlatform
from drydock.cluster.stack import Mode, Part, Stack
from drydock.core.project import Project


def addons(
    mode: Annotated[Mode, typer.Option(help="The same option as that of `up`.")] = Mode.DEV,
    without: Annotated[list[Part], typer.Option(help="The same option as that of `up`.")] = [],  # noqa: B006 - Typer copies it
) -> None:
    """Install the cluster's add-ons (metrics-server, KEDA) for a mode, and remove KEDA with `--without keda`.

    `up` and the Tiltfile do the same. Idempotent: safe to run again.
    """
    KindPlatform(Project.find()).bring_addons(Stack(mode, without=tuple(without)))
