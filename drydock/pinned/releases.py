"""Manifests that other projects publish with a version, kept in the cache folder.

They are not copied into the repository: drydock/cluster/addons.py puts them beside the patches in k8s/platform. The
files in release_pins state what each release holds; docs/decisions/release-manifests.md has the reasons.
"""

import contextlib
import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from drydock.core.console import Step, message
from drydock.core.errors import CannotRunError
from drydock.core.project import cache_folder
from drydock.pinned import downloads

PINS = Path(__file__).with_name("release_pins")
# An error line names so many differences and counts the others.
NAMED_DIFFERENCES = 3
SHORT_SUM = 12  # characters of a SHA-256, where a person compares two


@dataclass(frozen=True)
class Contents:
    """What a manifest holds: objects as `Kind namespace/name` or `Kind name`, and container images."""

    objects: tuple[str, ...]
    images: tuple[str, ...]

    @classmethod
    def parse(cls, manifest: bytes) -> "Contents":
        """Reads a manifest; the order of its documents does not matter.

        Raises:
            ValueError: it is not YAML, or a document is not a Kubernetes object.
        """
        try:
            documents = [it for it in yaml.load_all(manifest, Loader=yaml.CSafeLoader) if it is not None]
        except yaml.YAMLError as error:
            problem = str(error).replace('in "<byte string>",', "at")
            raise ValueError(f"is not YAML: {' '.join(problem.split())}") from error
        return cls(tuple(sorted(map(_identity, documents))), tuple(sorted(set(_images(documents)))))

    def differences(self, other: "Contents") -> list[str]:
        """How `other` differs, a phrase for each object and image."""
        objects, others = Counter(self.objects), Counter(other.objects)
        images, other_images = set(self.images), set(other.images)
        return [
            *(f"lacks {it}" for it in sorted((objects - others).elements())),
            *(f"adds {it}" for it in sorted((others - objects).elements())),
            *(f"lacks the image {it}" for it in sorted(images - other_images)),
            *(f"adds the image {it}" for it in sorted(other_images - images)),
        ]


@dataclass(frozen=True)
class Release:
    """One file of a release; `address` is a template of `version` (v1.2.3) and its `number` (1.2.3).

    `sha256` is the sum of the file that drydock was tested with.
    """

    name: str
    version: str
    address: str
    sha256: str
    contents: Contents

    @classmethod
    def pinned(cls, name: str) -> "Release":
        """Reads release_pins/<name>.toml."""
        pin = tomllib.loads((PINS / f"{name}.toml").read_text())
        contents = Contents(tuple(pin["objects"]), tuple(pin["images"]))
        return cls(name, pin["version"], pin["url"], pin["sha256"], contents)

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

    @property
    def first_sum(self) -> Path:
        """The file beside `cached` with the SHA-256 of its first use, in the format of `sha256sum --check`."""
        return self.cached.with_name(f"{self.cached.name}.sha256")


METRICS_SERVER = Release.pinned("metrics-server")
KEDA = Release.pinned("keda")
RELEASES = (METRICS_SERVER, KEDA)


def locate(release: Release) -> Path | None:
    """The file in the cache folder, or None where it must be downloaded.

    Raises:
        CannotRunError: that file is not the release, or it has changed since its first use.
    """
    if not release.cached.exists():
        return None
    remedy = "Remove that file: `drydock up` downloads it anew."
    _check(release, release.cached.read_bytes(), str(release.cached), remedy)
    return release.cached


def obtain(release: Release, progress: Step) -> Path:
    """The file, downloaded if need be. Warns where it is not the one drydock was tested with, byte for byte.

    Raises:
        CannotRunError: the download failed, or the file is not the release or has changed since its first use.
    """
    path = locate(release) or _download(release, progress)
    found = _sum(path.read_bytes())
    _remember(release, found)
    if found != release.sha256:
        message(
            f"warning: {path} has the objects and images of {release.name} {release.version}, but not the known"
            f" SHA-256: {found[:SHORT_SUM]}…, known is {release.sha256[:SHORT_SUM]}…"
        )
    return path


def _download(release: Release, progress: Step) -> Path:
    by_hand = f"Try again, or put the file of {release.url} at {release.cached} by hand."
    with downloads.explained(release.url, by_hand), downloads.beside(release.cached) as unfinished:
        downloads.receive(release.url, unfinished, progress)
        _check(release, unfinished.read_bytes(), release.url, by_hand)
        unfinished.chmod(0o644)
        unfinished.replace(release.cached)
    return release.cached


def _check(release: Release, manifest: bytes, place: str, remedy: str) -> None:
    """Refuses what is not the release or has changed. The file that drydock was tested with is always accepted."""
    found = _sum(manifest)
    if found == release.sha256:
        return
    if reason := _difference(release, manifest):
        raise CannotRunError(f"{place} is not {release.name} {release.version}: it {reason}", remedy)
    first = _first_sum(release)
    if first not in (None, found):
        raise CannotRunError(
            f"{place} has changed: its SHA-256 is {found}, at the first use of this release it was {first}",
            f"Find out why. To accept it as it is now, remove {release.first_sum};"
            f" to download it anew, remove {release.cached} if it is there.",
        )


def _difference(release: Release, manifest: bytes) -> str:
    """How a manifest differs from the pinned release; empty where it has the same objects and images."""
    try:
        differences = release.contents.differences(Contents.parse(manifest))
    except ValueError as error:
        return str(error)
    named, others = differences[:NAMED_DIFFERENCES], len(differences) - NAMED_DIFFERENCES
    return ", ".join([*named, f"and {others} more"] if others > 0 else named)


def _first_sum(release: Release) -> str | None:
    """The SHA-256 at the first use; None before it."""
    try:
        return release.first_sum.read_text().split()[0]
    except (FileNotFoundError, IndexError):
        return None


def _remember(release: Release, found: str) -> None:
    if _first_sum(release) == found:
        return
    # A cache folder that was filled beforehand may be read-only. Nothing changes there, so there is no need.
    with contextlib.suppress(OSError), downloads.beside(release.first_sum) as unfinished:
        unfinished.write_text(f"{found}  {release.cached.name}\n")
        unfinished.chmod(0o644)
        unfinished.replace(release.first_sum)


def _sum(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()


def _identity(document: Any) -> str:
    try:
        kind, metadata = document["kind"], document["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace")
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("has a document that is not a Kubernetes object") from error
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _images(value: Any) -> Iterator[str]:
    """Every `image:` of a container, at any depth."""
    if isinstance(value, dict):
        if isinstance(image := value.get("image"), str):
            yield image
        yield from _images(value.values())
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for item in value:
            yield from _images(item)
