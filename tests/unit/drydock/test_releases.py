from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from drydock.core.console import Step
from drydock.core.errors import CannotRunError
from drydock.pinned import releases
from drydock.pinned.releases import Contents, Release
from tests.unit.drydock.publisher import Publisher, publishing, sha256

DOCUMENTS = [
    """\
apiVersion: v1
kind: Namespace
metadata:
  name: sample
""",
    """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: sample:view
rules: []
""",
    """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: server
  namespace: sample
spec:
  template:
    spec:
      containers:
      - image: registry.example/sample/server:1.2.3
        name: server
      initContainers:
      - image: registry.example/sample/setup:1.2.3
        name: setup
""",
]
MANIFEST = "---\n".join(DOCUMENTS).encode()
CONTENTS = Contents(
    ("ClusterRole sample:view", "Deployment sample/server", "Namespace sample"),
    ("registry.example/sample/server:1.2.3", "registry.example/sample/setup:1.2.3"),
)
EXTRA = b"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\n  namespace: sample\n"

# Other files of the same release: the differences that two builds of a publisher may have.
SAME_RELEASE = {
    "a byte more": MANIFEST + b"\n",
    "a byte less": MANIFEST[:-1],
    "a comment": b"# made by another version of kustomize\n" + MANIFEST,
    "documents in another order": "---\n".join(reversed(DOCUMENTS)).encode(),
    "an empty document": MANIFEST + b"---\n",
    "other quotes": MANIFEST.replace(b"name: server\n", b'name: "server"\n'),
    "another label": MANIFEST.replace(b"  namespace: sample\n", b"  namespace: sample\n  labels: {by: helm}\n"),
    "Windows line ends": MANIFEST.replace(b"\n", b"\r\n"),
}
# Files that are not the release, each with the phrase of the error that names the difference.
OTHER_RELEASE = {
    "another tag": (
        MANIFEST.replace(b"server:1.2.3", b"server:1.2.4"),
        "lacks the image registry.example/sample/server:1.2.3, adds the image registry.example/sample/server:1.2.4",
    ),
    "an image of another registry": (
        MANIFEST.replace(b"registry.example/sample/setup", b"evil.example/sample/setup"),
        "adds the image evil.example/sample/setup:1.2.3",
    ),
    "a tag with a digest": (
        MANIFEST.replace(b"server:1.2.3", b"server:1.2.3@sha256:" + b"0" * 64),
        "adds the image registry.example/sample/server:1.2.3@sha256:",
    ),
    "a missing object": ("---\n".join(DOCUMENTS[1:]).encode(), "it lacks Namespace sample"),
    "an additional object": (MANIFEST + EXTRA, "it adds ConfigMap sample/extra"),
    "an object twice": (MANIFEST + b"---\n" + DOCUMENTS[0].encode(), "it adds Namespace sample"),
    "another name": (
        MANIFEST.replace(b"sample:view", b"sample:edit"),
        "it lacks ClusterRole sample:view, adds ClusterRole sample:edit",
    ),
    "another kind": (
        MANIFEST.replace(b"kind: ClusterRole", b"kind: Role"),
        "it lacks ClusterRole sample:view, adds Role sample:view",
    ),
    "another namespace": (
        MANIFEST.replace(b"namespace: sample", b"namespace: kube-system"),
        "it lacks Deployment sample/server, adds Deployment kube-system/server",
    ),
    "half of it": (MANIFEST[: len(MANIFEST) // 2], "it is not YAML: while scanning a simple key at line 16"),
    "cut between two documents": (DOCUMENTS[0].encode(), "it lacks ClusterRole sample:view"),
    "cut in the middle of a line": (MANIFEST[: MANIFEST.index(b"setup") + 2], "lacks the image"),
    "empty": (
        b"",
        "it lacks ClusterRole sample:view, lacks Deployment sample/server, lacks Namespace sample, and 2 more",
    ),
    "a login page of a hotel": (b"<html><body>Welcome</body></html>\n", "a document that is not a Kubernetes object"),
    "an object without a name": (MANIFEST + b"---\nkind: Role\nmetadata: {}\n", "that is not a Kubernetes object"),
    "an object without metadata": (MANIFEST + b"---\nkind: Role\nmetadata:\n", "that is not a Kubernetes object"),
    "not YAML": (b"kind: [Deployment\n", "it is not YAML"),
    "not text": (b"\x1f\x8b\x08\x00\xff\xfe", "it is not YAML"),
}
same_release = pytest.mark.parametrize("content", SAME_RELEASE.values(), ids=SAME_RELEASE)
other_release = pytest.mark.parametrize(("content", "reason"), OTHER_RELEASE.values(), ids=OTHER_RELEASE)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as running:
        running.files = {"/v1.2.3/components.yaml": MANIFEST}
        yield running


@pytest.fixture
def release(publisher: Publisher, cache: Path) -> Release:
    return Release("sample", "v1.2.3", publisher.address + "/{version}/components.yaml", sha256(MANIFEST), CONTENTS)


@pytest.fixture
def warnings(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """The lines on stderr since the last call."""
    return lambda: capsys.readouterr().err.splitlines()


def obtain(release: Release) -> Path:
    return releases.obtain(release, Step("releases"))


def put_by_hand(release: Release, content: bytes) -> None:
    release.cached.parent.mkdir(parents=True, exist_ok=True)
    release.cached.write_bytes(content)


def left_behind(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


def test_a_release_is_downloaded_once(
    release: Release, publisher: Publisher, cache: Path, warnings: Callable[[], list[str]]
) -> None:
    assert obtain(release) == cache / "manifests" / "sample-1.2.3-components.yaml"
    assert obtain(release).read_bytes() == MANIFEST
    assert publisher.requests == ["/v1.2.3/components.yaml"]
    assert left_behind(cache) == [release.cached, release.first_sum]
    assert warnings() == []


@same_release
def test_another_file_with_the_same_objects_and_images_is_accepted_with_one_line_of_warning(
    content: bytes, release: Release, publisher: Publisher, cache: Path, warnings: Callable[[], list[str]]
) -> None:
    publisher.files["/v1.2.3/components.yaml"] = content

    assert obtain(release).read_bytes() == content
    (warning,) = warnings()
    assert warning.startswith(
        f"warning: {release.cached} has the objects and images of sample v1.2.3, but not the known"
    )
    assert sha256(content)[:12] in warning
    assert sha256(MANIFEST)[:12] in warning
    assert left_behind(cache) == [release.cached, release.first_sum]


@other_release
def test_a_download_that_is_not_the_release_is_refused_and_nothing_is_left(
    content: bytes, reason: str, release: Release, publisher: Publisher, cache: Path
) -> None:
    publisher.files["/v1.2.3/components.yaml"] = content

    with pytest.raises(CannotRunError) as caught:
        obtain(release)

    assert caught.value.reason.startswith(f"{release.url} is not sample v1.2.3: it ")
    assert reason in caught.value.reason
    assert len(caught.value.reason.splitlines()) == 1
    assert f"put it at {release.cached}" in caught.value.remedy
    assert left_behind(cache) == []


@other_release
def test_a_file_in_the_cache_that_is_not_the_release_is_refused(
    content: bytes, reason: str, release: Release, publisher: Publisher
) -> None:
    put_by_hand(release, content)

    for refuse in (obtain, releases.locate):
        with pytest.raises(CannotRunError) as caught:
            refuse(release)
        assert str(release.cached) in caught.value.reason
        assert reason in caught.value.reason
        assert "Remove that file" in caught.value.remedy
    assert publisher.requests == []
    assert not release.first_sum.exists()


@pytest.mark.parametrize("content", [MANIFEST, SAME_RELEASE["a comment"]], ids=["the known file", "a comment more"])
def test_a_file_put_into_the_cache_by_hand_is_used(content: bytes, release: Release, publisher: Publisher) -> None:
    put_by_hand(release, content)

    assert obtain(release) == releases.locate(release) == release.cached
    assert publisher.requests == []


def test_a_cache_that_cannot_be_written_is_used_as_it_is(
    release: Release, publisher: Publisher, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_by_hand(release, MANIFEST)

    def read_only(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", read_only)  # root may write into every folder

    assert obtain(release) == release.cached
    assert left_behind(cache) == [release.cached]
    assert publisher.requests == []


def test_the_sum_of_the_first_use_is_kept_as_sha256sum_writes_it(release: Release) -> None:
    put_by_hand(release, MANIFEST)

    obtain(release)

    assert release.first_sum.name == "sample-1.2.3-components.yaml.sha256"
    assert release.first_sum.read_text() == f"{sha256(MANIFEST)}  sample-1.2.3-components.yaml\n"


def test_locate_does_not_change_the_cache(release: Release, cache: Path) -> None:
    put_by_hand(release, SAME_RELEASE["a comment"])

    releases.locate(release)

    assert left_behind(cache) == [release.cached]


@pytest.mark.parametrize("first", [MANIFEST, SAME_RELEASE["a byte more"]], ids=["the known file", "a byte more"])
def test_a_file_that_changed_after_its_first_use_is_refused(
    first: bytes, release: Release, publisher: Publisher
) -> None:
    put_by_hand(release, first)
    obtain(release)
    changed = SAME_RELEASE["a comment"]
    put_by_hand(release, changed)

    for refuse in (obtain, releases.locate):
        with pytest.raises(CannotRunError) as caught:
            refuse(release)
        assert f"{release.cached} has changed" in caught.value.reason
        assert sha256(first) in caught.value.reason
        assert sha256(changed) in caught.value.reason
        assert f"remove {release.first_sum}" in caught.value.remedy
    assert publisher.requests == []


def test_a_second_download_of_another_file_is_refused_until_the_user_accepts_it(
    release: Release, publisher: Publisher, cache: Path
) -> None:
    obtain(release)
    release.cached.unlink()
    publisher.files["/v1.2.3/components.yaml"] = SAME_RELEASE["another label"]

    with pytest.raises(CannotRunError) as caught:
        obtain(release)

    assert f"{release.url} has changed" in caught.value.reason
    assert f"remove {release.first_sum}" in caught.value.remedy
    assert left_behind(cache) == [release.first_sum]

    release.first_sum.unlink()
    assert obtain(release).read_bytes() == SAME_RELEASE["another label"]


def test_a_second_download_of_the_same_file_is_accepted(release: Release, publisher: Publisher) -> None:
    publisher.files["/v1.2.3/components.yaml"] = SAME_RELEASE["a comment"]
    obtain(release).unlink()

    assert obtain(release).read_bytes() == SAME_RELEASE["a comment"]


def test_the_known_file_may_replace_another_one(release: Release) -> None:
    put_by_hand(release, SAME_RELEASE["a comment"])
    obtain(release)
    put_by_hand(release, MANIFEST)

    assert obtain(release) == release.cached
    assert release.first_sum.read_text().startswith(sha256(MANIFEST))


def test_an_interrupted_download_leaves_nothing(release: Release, publisher: Publisher, cache: Path) -> None:
    publisher.truncated.add("/v1.2.3/components.yaml")

    with pytest.raises(CannotRunError, match="could not be downloaded") as caught:
        obtain(release)

    assert "Try again" in caught.value.remedy
    assert left_behind(cache) == []
    publisher.truncated.clear()
    assert obtain(release) == release.cached


def test_ctrl_c_during_a_download_leaves_nothing(release: Release, cache: Path) -> None:
    class Interrupted(Step):
        def __setattr__(self, name: str, value: object) -> None:
            if name == "detail" and value:
                raise KeyboardInterrupt
            super().__setattr__(name, value)

    with pytest.raises(KeyboardInterrupt):
        releases.obtain(release, Interrupted("releases"))

    assert left_behind(cache) == []


def test_the_error_of_a_missing_release_has_its_status_and_a_remedy(release: Release, cache: Path) -> None:
    gone = replace(release, version="v9.9.9")

    with pytest.raises(CannotRunError, match="answered 404") as caught:
        obtain(gone)

    assert f"put it at {gone.cached}" in caught.value.remedy
    assert left_behind(cache) == []


def test_a_file_name_with_release_and_version_is_kept(release: Release, cache: Path) -> None:
    named = replace(release, address=release.address.replace("components", "sample-{number}-core"))

    assert named.url.endswith("/v1.2.3/sample-1.2.3-core.yaml")
    assert named.cached == cache / "manifests" / "sample-1.2.3-core.yaml"


def test_a_schema_property_called_image_is_not_an_image() -> None:
    schema = b"kind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {properties: {image: {type: string}}}\n"

    assert Contents.parse(schema) == Contents(("CustomResourceDefinition a",), ())


def test_keda_comes_from_its_publisher(cache: Path) -> None:
    assert releases.KEDA.url == "https://github.com/kedacore/keda/releases/download/v2.21.0/keda-2.21.0-core.yaml"
    assert releases.KEDA.cached == cache / "manifests" / "keda-2.21.0-core.yaml"


def test_metrics_server_comes_from_its_publisher(cache: Path) -> None:
    assert releases.METRICS_SERVER.url == (
        "https://github.com/kubernetes-sigs/metrics-server/releases/download/v0.9.0/components.yaml"
    )
    assert releases.METRICS_SERVER.cached == cache / "manifests" / "metrics-server-0.9.0-components.yaml"


def test_every_pin_file_is_a_release() -> None:
    assert sorted(path.stem for path in releases.PINS.glob("*.toml")) == sorted(it.name for it in releases.RELEASES)
