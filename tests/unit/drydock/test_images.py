from pathlib import Path

import pytest

from drydock.cluster import images
from drydock.cluster.images import Reference

DOCKERFILE = """
ARG PYTHON=python:3.12-slim-bookworm
FROM ${PYTHON} AS builder
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /bin/
RUN --mount=type=cache,target=/root/.cache --mount=type=bind,from=docker.io/acme/tools:1,source=/x,target=/x true
FROM --platform=linux/amd64 debian:bookworm-slim as base
COPY --from=builder /opt/venv /opt/venv
COPY --from=0 /a /a
FROM base AS prod
FROM scratch
"""


def test_a_dockerfile_has_images_and_its_own_stages_are_not_among_them() -> None:
    assert list(images.in_dockerfile(DOCKERFILE)) == [
        "python:3.12-slim-bookworm",
        "ghcr.io/astral-sh/uv:0.13.9",
        "docker.io/acme/tools:1",
        "debian:bookworm-slim",
    ]


def test_images_are_found_at_any_depth_of_a_manifest() -> None:
    pod = {"initContainers": [{"image": "a:1"}], "containers": [{"name": "image", "image": "b:2"}]}
    job = {"kind": "Job", "spec": {"template": {"spec": pod}}}

    assert list(images.in_manifests([job, {"kind": "Service", "spec": {"ports": [{"port": 80}]}}])) == ["a:1", "b:2"]


@pytest.mark.parametrize(
    ("text", "mirrored", "tag"),
    [
        ("postgres:18.4-bookworm", "docker.io/library/postgres", "18.4-bookworm"),
        ("jaegertracing/jaeger:2.13.0", "docker.io/jaegertracing/jaeger", "2.13.0"),
        (
            "quay.io/prometheuscommunity/postgres-exporter:v0.16.0",
            "quay.io/prometheuscommunity/postgres-exporter",
            "v0.16.0",
        ),
        (
            "registry.k8s.io/metrics-server/metrics-server:v0.9.0",
            "registry.k8s.io/metrics-server/metrics-server",
            "v0.9.0",
        ),
        ("localhost:5001/own:1", "localhost:5001/own", "1"),
        ("busybox", "docker.io/library/busybox", "latest"),
    ],
)
def test_a_reference_is_parsed_by_dockers_rules(text: str, mirrored: str, tag: str) -> None:
    reference = Reference.parse(text)

    assert (reference.mirrored, reference.tag) == (mirrored, tag)


def test_pinned_images_come_from_every_file_and_exclude_those_that_the_project_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.12\n")
    (tmp_path / "compose.yaml").write_text(
        "services: {db: {image: 'postgres:18'}, own: {build: ., image: 'acme/own:1'}, cache: {image: 'valkey:9'}}"
    )
    overlay = tmp_path / "k8s" / "overlays" / "dev"
    overlay.mkdir(parents=True)
    (overlay / "kustomization.yaml").touch()
    (tmp_path / "k8s" / "kind.yaml").write_text("nodes: [{image: 'kindest/node:v1'}, {role: worker}]")
    pod = {"containers": [{"image": name} for name in ("postgres:18", "drydock/shop", "acme/own:1", "quay.io/x/y:2")]}
    addon = {"containers": [{"image": "registry.k8s.io/a/b:1"}]}
    rendered = {overlay: pod, tmp_path / "addon": addon}
    monkeypatch.setattr(images, "render", lambda _, folder: [{"kind": "Pod", "spec": rendered[folder]}])

    pinned = images.pinned(tmp_path, Path("kubectl"), [tmp_path / "addon"])

    assert pinned.cluster == ("postgres:18", "quay.io/x/y:2", "registry.k8s.io/a/b:1")
    assert {*pinned.engine} == {*pinned.cluster, "kindest/node:v1", "python:3.12", "valkey:9"}
