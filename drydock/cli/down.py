"""`drydock down`: stop what `drydock up` started."""

import shutil
from typing import Annotated

import typer

from drydock.cluster import docker, registry
from drydock.cluster.platform import KindPlatform
from drydock.core.console import message
from drydock.core.project import Project
from drydock.local.platform import LocalPlatform


def down(
    everything: Annotated[
        bool, typer.Option("--all", help="Also remove the registry with its images, and the local database.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also delete the cluster of another checkout, or of an unknown one.")
    ] = False,
) -> None:
    """Stop Tilt, the cluster and the local platform. The registry keeps running as an image cache."""
    project = Project.find()
    stopped = ["local platform"] if LocalPlatform(project).stop() else []
    if unreachable := docker.unreachable():
        message(f"No cluster to stop: {unreachable}")
    else:
        stopped += ["kind platform"] if KindPlatform(project).remove(force=force) else []
        stopped += ["registry and its images"] if everything and registry.remove() else []
    if everything:
        shutil.rmtree(project.state, ignore_errors=True)
    message(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
