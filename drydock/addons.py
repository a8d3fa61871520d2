"""What a production cluster brings along and kind does not: releases of other projects, patched for a local cluster."""

import shutil
from pathlib import Path

from drydock import releases
from drydock.cluster import Cluster
from drydock.progress import Step
from drydock.project import Project
from drydock.releases import RELEASES

# What a kustomization of k8s/platform calls the release that it patches.
RELEASE = "release.yaml"


def assemble(project: Project, progress: Step, target: Path | None = None) -> list[Path]:
    """One kustomization for each release, below `target` (default: .local/platform), downloaded if need be.

    It is a copy of k8s/platform/<name> with the release beside it, for kustomize reads nothing outside its folder.
    """
    folders = []
    for release in RELEASES:
        folder = (target or project.state / "platform") / release.name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(project.root / "k8s" / "platform" / release.name, folder)
        shutil.copyfile(releases.obtain(release, progress), folder / RELEASE)
        folders.append(folder)
    progress.detail = ", ".join(f"{release.name} {release.version}" for release in RELEASES)
    return folders


def install(cluster: Cluster, folder: Path) -> None:
    """Brings the cluster to what an assembled kustomization says; nothing happens where it is so already."""
    cluster.apply("--kustomize", str(folder))
