"""Release manifests of other projects, kept in the cache folder.

They are not copied into the repository: drydock/cluster/addons.py puts them beside the patches in k8s/platform. The
files in release_pins list the objects and images of each release; docs/decisions/release-manifests.md has the reasons.
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
# An error lists this many differences and counts the others.
NAMED_DIFFERENCES = 3
SHORT_SUM = 12  # characters of a SHA-256: enough for a person to compare two


@dataclass(frozen=True)
class Contents:
    """The contents of a manifest: objects as `Kind namespace/name` or `Kind name`, and container images."""

    objects: tuple[str, ...]
    images: tuple[str, ...]

    @classmethod
    def parse(cls, manifest: bytes) -> "Contents":
        """Parses a manifest. The order of its documents does not matter.

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
        """The differences of `other`, one phrase for each object and image."""
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
        """The address of the publisher's file."""
        return self.address.format(version=self.version, number=self.number)

    @property
    def number(self) -> str:
        """The version without its leading v."""
        return self.version.removeprefix("v")

    @property
    def cached(self) -> Path:
        """The file in the cache folder. Its name contains the release and the version."""
        file_name, prefix = self.url.rsplit("/", 1)[1], f"{self.name}-{self.number}-"
        return cache_folder() / "manifests" / (file_name if file_name.startswith(prefix) else prefix + file_name)

    @property
    def first_sum(self) -> Path:
        """The file beside `cached` with the SHA-256 of its first use, in the format of `sha256sum --check`."""
        return self.cached.with_name(f"{self.cached.name}.sha256")


METRICS_SERVER = Release.pinned("metrics-server")
KEDA = Release.pinned("keda")
RELEASES = (METRICS_SERVER, KEDA)


def locate(release: Release) -> Path | None:
    """The verified file in the cache folder; None if it is not there.

    Raises:
        CannotRunError: the file is not the release, or it has changed since its first use.
    """
    if not release.cached.exists():
        return None
    remedy = "Remove that file: `drydock up` downloads it again."
    _check(release, release.cached.read_bytes(), str(release.cached), remedy)
    return release.cached


def obtain(release: Release, progress: Step) -> Path:
    """The verified file, downloaded if it is missing. Warns if it differs from the file that drydock was tested with.

    Raises:
        CannotRunError: the download failed, or the file is not the release or has changed since its first use.
    """
    path = locate(release) or _download(release, progress)
    found = _sum(path.read_bytes())
    _remember(release, found)
    if found != release.sha256:
        message(
            f"warning: {path} has the objects and images of {release.name} {release.version}, but not the known"
            f" SHA-256: found {found[:SHORT_SUM]}…, known {release.sha256[:SHORT_SUM]}…"
        )
    return path


def _download(release: Release, progress: Step) -> Path:
    by_hand = f"Try again, or download {release.url} yourself and put it at {release.cached}."
    with downloads.explained(release.url, by_hand), downloads.beside(release.cached) as unfinished:
        downloads.receive(release.url, unfinished, progress)
        _check(release, unfinished.read_bytes(), release.url, by_hand)
        unfinished.chmod(0o644)
        unfinished.replace(release.cached)
    return release.cached


def _check(release: Release, manifest: bytes, place: str, remedy: str) -> None:
    """Raises CannotRunError if the manifest is not the release, or has changed since its first use.

    The file that drydock was tested with is always accepted.
    """
    found = _sum(manifest)
    if found == release.sha256:
        return
    if reason := _difference(release, manifest):
        raise CannotRunError(f"{place} is not {release.name} {release.version}: it {reason}", remedy)
    first = _first_sum(release)
    if first not in (None, found):
        raise CannotRunError(
            f"{place} has changed: its SHA-256 is {found}, at the first use of this release it was {first}",
            f"Find out why. To accept the new file, remove {release.first_sum};"
            f" to download it again, remove {release.cached} if it exists.",
        )


def _difference(release: Release, manifest: bytes) -> str:
    """The differences between a manifest and the pinned release; empty if objects and images are the same."""
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
    # A cache folder that was filled beforehand may be read-only. Its files cannot change, so no sum is needed.
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
    """The value of every `image:`, at any depth."""
    if isinstance(value, dict):
        if isinstance(image := value.get("image"), str):
            yield image
        yield from _images(value.values())
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for item in value:
            yield from _images(item)
