from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from drydock.core.console import Step
from drydock.core.errors import CannotRunError
from drydock.pinned import releases
from drydock.pinned.releases import Release
from tests.unit.drydock.publisher import Publisher, publishing, sha256

MANIFEST = b"kind: Deployment\n"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as running:
        running.files = {"/v1.2.3/components.yaml": MANIFEST}
        yield running


@pytest.fixture
def release(publisher: Publisher, cache: Path) -> Release:
    return Release("sample", "v1.2.3", publisher.address + "/{version}/components.yaml", sha256(MANIFEST))


def obtain(release: Release) -> Path:
    return releases.obtain(release, Step("releases"))


def put_by_hand(release: Release, content: bytes) -> None:
    release.cached.parent.mkdir(parents=True)
    release.cached.write_bytes(content)


def left_behind(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


def test_a_release_is_downloaded_once(release: Release, publisher: Publisher, cache: Path) -> None:
    assert obtain(release) == cache / "manifests" / "sample-1.2.3-components.yaml"
    assert obtain(release).read_bytes() == MANIFEST
    assert publisher.requests == ["/v1.2.3/components.yaml"]
    assert left_behind(cache) == [release.cached]


def test_a_file_put_into_the_cache_by_hand_is_used(release: Release, publisher: Publisher) -> None:
    put_by_hand(release, MANIFEST)

    assert obtain(release) == release.cached
    assert publisher.requests == []


def test_a_file_in_the_cache_that_is_another_is_refused(release: Release, publisher: Publisher) -> None:
    put_by_hand(release, MANIFEST + b"# a line more\n")

    with pytest.raises(CannotRunError) as caught:
        obtain(release)

    assert str(release.cached) in caught.value.reason
    assert sha256(MANIFEST) in caught.value.reason
    assert "Remove that file" in caught.value.remedy
    assert publisher.requests == []


def test_a_download_that_is_another_file_is_refused(release: Release, publisher: Publisher, cache: Path) -> None:
    publisher.files["/v1.2.3/components.yaml"] = b"kind: Malware\n"

    with pytest.raises(CannotRunError, match="its publisher states") as caught:
        obtain(release)

    assert f"at {release.cached} by hand" in caught.value.remedy
    assert left_behind(cache) == []


def test_a_missing_release_is_told(release: Release, cache: Path) -> None:
    gone = replace(release, version="v9.9.9")

    with pytest.raises(CannotRunError, match="answered 404") as caught:
        obtain(gone)

    assert f"at {gone.cached} by hand" in caught.value.remedy
    assert left_behind(cache) == []


def test_a_file_that_tells_release_and_version_keeps_its_name(release: Release, cache: Path) -> None:
    named = replace(release, address=release.address.replace("components", "sample-{number}-core"))

    assert named.url.endswith("/v1.2.3/sample-1.2.3-core.yaml")
    assert named.cached == cache / "manifests" / "sample-1.2.3-core.yaml"


def test_keda_comes_from_its_publisher(cache: Path) -> None:
    assert releases.KEDA.url == "https://github.com/kedacore/keda/releases/download/v2.21.0/keda-2.21.0-core.yaml"
    assert releases.KEDA.cached == cache / "manifests" / "keda-2.21.0-core.yaml"


def test_metrics_server_comes_from_its_publisher(cache: Path) -> None:
    assert releases.METRICS_SERVER.url == (
        "https://github.com/kubernetes-sigs/metrics-server/releases/download/v0.9.0/components.yaml"
    )
    assert releases.METRICS_SERVER.cached == cache / "manifests" / "metrics-server-0.9.0-components.yaml"
