"""Images are pinned and the same everywhere, and parity mode runs production's own command."""

from typing import Any

import pytest

from drydock.check.subject import COMMAND, image_command
from drydock.cluster.images import in_compose, in_dockerfile, in_kind, in_manifests
from drydock.manifests.objects import Object, container
from tests.manifests.rules import images


@pytest.fixture
def every_image(
    kind: Object,
    compose: Object,
    dockerfile: str,
    dev: list[Object],
    parity: list[Object],
    judge: list[Object],
    platform: list[Object],
) -> set[str]:
    built = {service["image"] for service in compose["services"].values() if "build" in service}
    pulled = [*in_kind(kind), *in_compose(compose), *in_dockerfile(dockerfile)]
    deployed = [*dev, *parity, *judge, *platform]
    return {*built, *pulled, *in_manifests(deployed)}


def test_every_image_is_pinned(every_image: set[str]) -> None:
    assert images.pinned(every_image) == []


def test_every_image_has_one_tag(every_image: set[str]) -> None:
    assert images.one_tag_each(every_image) == []


def test_the_images_of_every_folder_are_checked(every_image: set[str]) -> None:
    names = {image.rpartition(":")[0] for image in every_image}
    assert names >= {"kindest/node", "postgres", "drydock/shop", "drydock/instrument", "python", "ghcr.io/astral-sh/uv"}
    assert "registry.k8s.io/metrics-server/metrics-server" in names


def test_all_targets_of_the_image_share_one_command(dockerfile: str) -> None:
    assert len(COMMAND.findall(dockerfile)) == 1


def test_parity_and_compose_run_production(dockerfile: str, compose: Object, parity: list[Object]) -> None:
    assert images.runs_production(parity, compose, image_command(dockerfile)) == []


def test_the_local_platform_starts_the_same_program(dockerfile: str, instrument: dict[str, Any]) -> None:
    command = instrument["local"]["command"]
    assert image_command(dockerfile)[: len(command)] == command


def test_the_local_platform_migrates_by_the_same_command(parity: list[Object], instrument: dict[str, Any]) -> None:
    assert container(parity, "Job", "migrate")["command"] == instrument["local"]["migrate"]


def test_the_reloader_of_dev_mode_is_reported(dockerfile: str, compose: Object, dev: list[Object]) -> None:
    assert len(images.runs_production(dev, compose, image_command(dockerfile))) == 1


def test_the_reloader_is_in_the_image_of_dev_alone(dockerfile: str, dev: list[Object]) -> None:
    assert images.reloader_only_in_dev(dockerfile) == []
    kept = dockerfile.replace("rm app/reload.py && ", "")
    assert images.reloader_only_in_dev(kept) == ["the stage application contains app/reload.py"]
    assert container(dev, "Deployment", "shop")["args"] == ["python", "-m", "app.reload"]


@pytest.mark.parametrize(
    "stage",
    [
        "FROM python AS prod\nCOPY app app\n",
        "FROM python AS prod\nCOPY --chown=1:1 app app\n",
        "FROM python AS prod\nCOPY . .\n",
        "FROM python AS prod\nADD app/ /srv/app\nRUN echo rm app/reload.py\n",
        "FROM dev AS prod\n",
        "FROM python AS prod\nCOPY --from=dev /srv/app app\n",
    ],
)
def test_a_stage_that_keeps_the_reloader_is_found(stage: str) -> None:
    assert images.reloader_only_in_dev(stage) == ["the stage prod contains app/reload.py"]


@pytest.mark.parametrize("image", ["postgres", "postgres:latest", "localhost:5001/shop"])
def test_an_image_without_a_version_is_found(image: str) -> None:
    assert images.pinned([image]) == [f"{image} is not pinned"]


def test_two_versions_of_one_image_are_found() -> None:
    assert images.one_tag_each({"postgres:18.4-bookworm", "postgres:17"}) == [
        "postgres appears as ['17', '18.4-bookworm']"
    ]
