"""Add-ons that a production cluster has and kind lacks: releases of other projects, patched for a local cluster."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from drydock.cluster import keda
from drydock.cluster.kind import Cluster
from drydock.cluster.stack import Autoscaling, Stack
from drydock.core.console import Step
from drydock.core.project import Project
from drydock.pinned import releases
from drydock.pinned.releases import KEDA, METRICS_SERVER, RELEASES, Release

# The file name of the release in the kustomizations of k8s/platform.
RELEASE = "release.yaml"


def wanted(stack: Stack) -> tuple[Release, ...]:
    """The releases that `stack` needs."""
    return (METRICS_SERVER, KEDA) if stack.autoscaling is Autoscaling.KEDA else (METRICS_SERVER,)


def assemble(
    project: Project, progress: Step, chosen: Iterable[Release] = RELEASES, target: Path | None = None
) -> list[Path]:
    """Writes a kustomization for each chosen release below `target` (default: .local/platform); returns their folders.

    A kustomization is a copy of k8s/platform/<name> and the release itself, because kustomize reads nothing outside
    its folder. A missing release is downloaded.
    """
    folders = []
    for release in chosen:
        folder = (target or project.state / "platform") / release.name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(project.root / "k8s" / "platform" / release.name, folder)
        shutil.copyfile(releases.obtain(release, progress), folder / RELEASE)
        folders.append(folder)
    progress.detail = ", ".join(f"{release.name} {release.version}" for release in chosen)
    return folders


def install(cluster: Cluster, folder: Path) -> None:
    """Applies an assembled kustomization. Idempotent."""
    cluster.apply("--kustomize", str(folder))


def remove_keda(cluster: Cluster, project: Project, progress: Step) -> None:
    """Removes KEDA if it is installed. Delete its ScaledObjects first: only KEDA's operator clears their finalizers."""
    if not keda.installed(cluster):
        progress.detail = "not installed"
        return
    for folder in assemble(project, progress, [KEDA]):
        cluster.call("delete", "--kustomize", str(folder), "--ignore-not-found")
    progress.detail = "removed"
