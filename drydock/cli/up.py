"""`drydock up`: start the platform and the service."""

from enum import StrEnum
from typing import Annotated

import typer

from drydock.cluster import docker
from drydock.cluster.platform import KindPlatform
from drydock.cluster.stack import Mode, Part, Profile, Stack
from drydock.cluster.tilt import PORT as TILT_PORT
from drydock.core.console import message, step
from drydock.core.project import Project
from drydock.doctor import examination
from drydock.local.platform import DISCLAIMER, LocalPlatform


class Choice(StrEnum):
    """The platforms that `up` starts."""

    KIND = "kind"
    LOCAL = "local"


def up(
    mode: Annotated[
        Mode, typer.Option(help="dev: an edit is live in a second. parity: the image and command of production.")
    ] = Mode.DEV,
    profile: Annotated[
        Profile, typer.Option(help="small: less memory for the telemetry stack, for machines with 8 GiB.")
    ] = Profile.FULL,
    without: Annotated[
        list[Part], typer.Option(help="Leave out KEDA or a part of the telemetry stack. Can be repeated.")
    ] = [],  # noqa: B006 - Typer copies it
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when everything is ready, and keep it running.")
    ] = False,
    platform: Annotated[
        Choice | None, typer.Option(help="Default: kind, or local if Docker is not reachable.", show_default=False)
    ] = None,
) -> None:
    """Start the tools, the registry, the cluster, and the service under Tilt.

    Idempotent: safe to run again, also after Ctrl-C. Without Docker it starts the local platform instead: the service's
    own commands beside an embedded PostgreSQL.
    """
    project = Project.find()
    unreachable = None if platform else docker.unreachable()
    if platform is Choice.LOCAL or unreachable:
        message(DISCLAIMER + (f" {unreachable}" if unreachable else ""))
        local = LocalPlatform(project)
        if detach:
            local.detach()
        else:
            local.run()
        return
    examination.refuse_if_blocked(examination.examine(project))
    kind = KindPlatform(project)
    stack = Stack(mode, profile, tuple(without))
    kind.prepare(stack)
    if found := examination.left_changes(project):
        examination.report(found, stderr=True)
    if not detach:
        message(f"The service will be at {kind.url}. Ctrl-C stops Tilt and keeps the cluster.")
        kind.tilt.run(stack)
    kind.tilt.detach(stack)
    with step(f"service, mode {mode}") as progress:
        kind.tilt.wait_until_ready(progress)
    message(f'Ready at {kind.url}. Tilt: http://localhost:{TILT_PORT}. kubectl: eval "$(drydock env)".')
    pages = project.configuration.telemetry.kind
    message(f"Grafana: {pages.grafana}. Jaeger: {pages.jaeger}. Prometheus: {pages.prometheus}.")
