"""Manifests that other projects publish with a version, each pinned by its SHA-256 and kept in the cache folder.

They are not copied into the repository: k8s/platform patches them, as drydock/cluster/addons.py puts them together.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from drydock.core.console import Step
from drydock.core.errors import CannotRunError
from drydock.core.project import cache_folder
from drydock.pinned import downloads


@dataclass(frozen=True)
class Release:
    """One file of a release; `address` is a template of `version` (v1.2.3) and its `number` (1.2.3)."""

    name: str
    version: str
    address: str
    sha256: str

    @property
    def url(self) -> str:
        """Where its publisher keeps it."""
        return self.address.format(version=self.version, number=self.number)

    @property
    def number(self) -> str:
        """The version without its v."""
        return self.version.removeprefix("v")

    @property
    def cached(self) -> Path:
        """Where the download goes, and where it can be put by hand; its name tells release and version."""
        file_name, told = self.url.rsplit("/", 1)[1], f"{self.name}-{self.number}-"
        return cache_folder() / "manifests" / (file_name if file_name.startswith(told) else told + file_name)


METRICS_SERVER = Release(
    "metrics-server",
    "v0.9.0",
    "https://github.com/kubernetes-sigs/metrics-server/releases/download/{version}/components.yaml",
    "1cec29a5267809306a2c6ec74a3e449abbb705b4a8beed0c8a1963910f72c79b",
)
KEDA = Release(
    "keda",
    "v2.21.0",
    # Without the admission webhooks, which would be a third program.
    "https://github.com/kedacore/keda/releases/download/{version}/keda-{number}-core.yaml",
    "e682084c3a93b8adc30fb22f2e63a1604ef1832d31769976a40682c5fa745927",
)
RELEASES = (METRICS_SERVER, KEDA)


def locate(release: Release) -> Path | None:
    """The file in the cache folder, or None where it must be downloaded.

    Raises:
        CannotRunError: what lies there is another file.
    """
    if not release.cached.exists():
        return None
    found = hashlib.sha256(release.cached.read_bytes()).hexdigest()
    if found != release.sha256:
        reason = f"{release.cached} has SHA-256 {found}, {release.name} {release.version} has {release.sha256}"
        raise CannotRunError(reason, "Remove that file: `drydock up` downloads it anew.")
    return release.cached


def obtain(release: Release, progress: Step) -> Path:
    """The file, downloaded if need be.

    Raises:
        CannotRunError: the download failed, or what came or lies in the cache folder is not the pinned file.
    """
    if path := locate(release):
        return path
    by_hand = f"Try again, or put the file of {release.url} at {release.cached} by hand."
    with downloads.explained(release.url, by_hand), downloads.beside(release.cached) as unfinished:
        downloads.fetch(release.url, unfinished, release.sha256, progress)
        unfinished.chmod(0o644)
        unfinished.replace(release.cached)
    return release.cached
