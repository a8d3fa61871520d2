"""`drydock down`: stop what `drydock up` started."""

import shutil
from typing import Annotated

import typer

from drydock.cluster import docker, registry
from drydock.cluster.platform import KindPlatform
from drydock.core.console import message
from drydock.core.project import Project
from drydock.local import drill_record, leftovers
from drydock.local.platform import LocalPlatform


def down(
    everything: Annotated[
        bool, typer.Option("--all", help="Also remove the registry with its images, and the local database.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Also delete the cluster of another checkout.")] = False,
) -> None:
    """Stop Tilt, the cluster and the local platform. The registry keeps running as an image cache.

    Also end what a killed local drill of this checkout has left: its processes and its temporary folder.
    """
    project = Project.find()
    if everything:
        drill_record.refuse_running(project.state)  # its record is in the folder that is deleted
    stopped = ["local platform"] if LocalPlatform(project).stop() else []
    stopped += ["leftovers of a killed drill"] if _end_leftovers(project) else []
    if unreachable := docker.unreachable():
        message(f"No cluster to stop: {unreachable}")
    else:
        stopped += ["kind platform"] if KindPlatform(project).remove(force=force) else []
        stopped += ["registry and its images"] if everything and registry.remove() else []
    if everything:
        shutil.rmtree(project.state, ignore_errors=True)
    message(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def _end_leftovers(project: Project) -> bool:
    """Ends them, with a line for each. False if there were none."""
    names = []
    for name in leftovers.end(project.state):
        message(f"Left behind by a killed drill, now gone: {name}")
        names.append(name)
    return bool(names)
