"""The images that the project pins, collected from the files that use them. There is no second list to maintain."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from drydock.cluster import docker
from drydock.core.console import Step
from drydock.system.processes import output

DEFAULT_REGISTRY = "docker.io"
# The names of images that the project builds itself begin with this.
BUILT_PREFIX = "drydock/"


@dataclass(frozen=True)
class Reference:
    """An image's full name: `postgres:18` is `docker.io/library/postgres:18`."""

    registry: str
    repository: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Parses a name by Docker's rules."""
        first, _, rest = text.partition("/")
        named = rest and (first == "localhost" or "." in first or ":" in first)
        registry, path = (first, rest) if named else (DEFAULT_REGISTRY, text)
        path, _, tag = path.partition(":")
        if registry == DEFAULT_REGISTRY and "/" not in path:
            path = f"library/{path}"
        return cls(registry, path, tag or "latest")

    @property
    def mirrored(self) -> str:
        """Its name in a registry that mirrors several others, without the tag."""
        return f"{self.registry}/{self.repository}"


@dataclass(frozen=True)
class PinnedImages:
    """The images that the engine needs (base, node and registry images included), and those that the nodes pull."""

    engine: tuple[str, ...]
    cluster: tuple[str, ...]


def pinned(root: Path, kubectl: Path, addons: Iterable[Path] = ()) -> PinnedImages:
    """The images in the overlays, the Dockerfile, compose.yaml and the kind configuration of `root`.

    `addons` are the folders of further kustomizations.
    """
    compose = _yaml(root / "compose.yaml")
    folders = [*overlays(root), *addons]
    cluster = [image for folder in folders for image in in_manifests(render(kubectl, folder))]
    elsewhere = [
        *in_dockerfile(_text(root / "Dockerfile")),
        *in_compose(compose),
        *in_kind(_yaml(root / "k8s" / "kind.yaml")),
    ]
    built = built_here(compose)

    def not_built(images: list[str]) -> tuple[str, ...]:
        return tuple(sorted({image for image in images if not image.startswith(BUILT_PREFIX) and image not in built}))

    return PinnedImages(engine=not_built([*cluster, *elsewhere]), cluster=not_built(cluster))


def overlays(root: Path) -> list[Path]:
    """The kustomize overlays of the project."""
    return sorted(path.parent for path in (root / "k8s" / "overlays").glob("*/kustomization.yaml"))


def render(kubectl: Path, folder: Path) -> list[Any]:
    """The manifests of a kustomization. Needs no cluster."""
    text = output([str(kubectl), "kustomize", str(folder)])
    # libyaml's parser: the Python one needs half a second for an overlay.
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


def in_manifests(documents: Any) -> Iterator[str]:
    """The value of every `image:` in the manifests, at any depth."""
    if isinstance(documents, list):
        for item in documents:
            yield from in_manifests(item)
    elif isinstance(documents, dict):
        for key, value in documents.items():
            if key == "image" and isinstance(value, str):
                yield value
            yield from in_manifests(value)


def in_dockerfile(text: str) -> Iterator[str]:
    """The images of `FROM`, `COPY --from` and `RUN --mount=from`, without the Dockerfile's own stages."""
    defaults = dict(re.findall(r"^ARG\s+(\w+)=(\S+)", text, re.MULTILINE))
    stages = set(re.findall(r"^FROM\s.*\sAS\s+(\S+)", text, re.MULTILINE | re.IGNORECASE))
    from_lines = r"^FROM\s+(?:--\S+\s+)*(\S+)"
    options = r"^\s*(?:COPY|RUN|ADD)\b.*?[=,\s](?:--)?from=([^,\s]+)"
    for name in re.findall(f"{from_lines}|{options}", text, re.MULTILINE | re.IGNORECASE):
        image = re.sub(r"\$\{?(\w+)\}?", lambda match: defaults.get(match[1], match[0]), name[0] or name[1])
        if image not in stages and image != "scratch" and not image.isdigit():
            yield image


def in_compose(compose: Any) -> Iterator[str]:
    """The images that Compose pulls."""
    for service in (compose.get("services") or {}).values():
        if "image" in service and "build" not in service:
            yield service["image"]


def built_here(compose: Any) -> frozenset[str]:
    """The images that Compose builds."""
    services = (compose.get("services") or {}).values()
    return frozenset(service["image"] for service in services if "build" in service and "image" in service)


def in_kind(configuration: Any) -> Iterator[str]:
    """The node images of a kind configuration."""
    for node in configuration.get("nodes") or []:
        if "image" in node:
            yield node["image"]


def pull_missing(images: tuple[str, ...], progress: Step) -> None:
    """Pulls the images that the engine lacks. With all images present it needs no network."""
    missing = [image for image in images if not docker.has_image(image)]
    for number, image in enumerate(missing, start=1):
        progress.detail = f"pulling {image} ({number} of {len(missing)})"
        docker.pull(image)
    progress.detail = f"{len(images)} images, {len(missing)} pulled"


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _yaml(path: Path) -> Any:
    return yaml.safe_load(_text(path)) or {}
