"""Images: exact versions, one tag for each wherever it is named, and production's own command."""

import re
from collections.abc import Iterable

from drydock.manifests.objects import Findings, Object, container


def pinned(images: Iterable[str]) -> Findings:
    """Every image has a tag, and it is not `latest`."""
    tags = {image: image.rpartition("/")[2].partition(":")[2] for image in images}
    return [f"{image} is not pinned" for image, tag in tags.items() if tag in ("", "latest")]


def one_tag_each(images: Iterable[str]) -> Findings:
    """No image appears in two versions."""
    versions: dict[str, set[str]] = {}
    for image in images:
        name, _, tag = image.rpartition(":")
        versions.setdefault(name, set()).add(tag)
    return [f"{name} appears as {sorted(tags)}" for name, tags in versions.items() if len(tags) > 1]


def runs_production(objects: list[Object], compose: Object, command: list[str]) -> Findings:
    """Kubernetes and compose both run the image's command, untouched."""
    spec, service = container(objects, "Deployment", "shop"), compose["services"]["shop"]
    runs = {
        "the Deployment": spec.get("command", []) + spec.get("args", []),
        "compose": service.get("entrypoint", []) + service.get("command", []),
    }
    return [f"{where} runs {said}, the image {command}" for where, said in runs.items() if said not in ([], command)]


def reloader_only_in_dev(text: str) -> Findings:
    """No stage of the Dockerfile but `dev` keeps app/reload.py: what copies the code deletes it."""
    # From the build's context: the folder app, or all of it. From another stage: only dev has the reloader.
    takes = re.compile(r"(COPY|ADD)(?!.*--from=).*\s(app|\.)/?\s|FROM dev AS|COPY .*--from=dev\s")
    deletes = re.compile(r"RUN (.+ && )?rm app/reload\.py( |$)")
    return [
        f"the stage {name} contains app/reload.py"
        for name, instructions in _stages(text).items()
        if name != "dev" and any(map(takes.match, instructions)) and not any(map(deletes.match, instructions))
    ]


def _stages(text: str) -> dict[str, list[str]]:
    """The instructions of each stage by its name, each on one line, FROM among them."""
    stages: dict[str, list[str]] = {}
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        if named := re.match(r"FROM \S+ AS (\S+)", line):
            stages[named[1]] = [line]
        elif stages and line and not line.startswith("#"):
            next(reversed(stages.values())).append(line)
    return stages
