import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from drydock.core.errors import CannotRunError
from drydock.pinned import tools
from drydock.pinned.tools import Machine, Tool
from tests.unit.drydock.publisher import Publisher, archive, program, publishing, sha256

VERSION = "v1.2.3"
MACHINE = Machine.this()


@pytest.fixture
def path_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as running:
        yield running


@pytest.fixture
def tool(publisher: Publisher, cache: Path) -> Tool:
    """A tool that the publisher serves with a valid checksum."""
    content = program(VERSION)
    publisher.files = {
        f"/{VERSION}/sampletool-{MACHINE.system}-{MACHINE.architecture}": content,
        f"/{VERSION}/sampletool-{MACHINE.system}-{MACHINE.architecture}.sha256": sha256(content).encode(),
    }
    address = publisher.address + "/{version}/sampletool-{system}-{architecture}"
    return Tool("sampletool", VERSION, ["version"], address, address + ".sha256")


def install(folder: Path, name: str, version: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(program(version))
    path.chmod(0o755)
    return path


def left_behind(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


def test_a_missing_tool_is_downloaded_into_the_cache_and_runs(tool: Tool, cache: Path) -> None:
    path = tools.obtain(tool)

    assert path == cache / "tools" / "sampletool" / VERSION / "sampletool"
    assert VERSION in subprocess.run([path, "version"], capture_output=True, text=True, check=True).stdout
    assert left_behind(cache) == [path]


def test_a_cached_tool_needs_no_network(tool: Tool, publisher: Publisher) -> None:
    tools.obtain(tool)
    asked = len(publisher.requests)
    publisher.files.clear()

    assert tools.obtain(tool) == tool.cached
    assert len(publisher.requests) == asked


def test_the_exact_version_on_path_is_used(tool: Tool, path_folder: Path, publisher: Publisher) -> None:
    installed = install(path_folder, "sampletool", VERSION)

    assert tools.obtain(tool) == installed
    assert publisher.requests == []


@pytest.mark.parametrize("other", ["v1.2.4", "v1.2.3-rc.1", "v11.2.3", "no version"])
def test_another_version_on_path_is_left_alone(tool: Tool, path_folder: Path, other: str) -> None:
    install(path_folder, "sampletool", other)

    assert tools.obtain(tool) == tool.cached


@pytest.mark.parametrize(
    "output", ["sampletool, version 1.2.3 (branch: HEAD)", "Client Version: v1.2.3", "v1.2.3, built 2026"]
)
def test_the_version_is_found_in_every_format(tool: Tool, tmp_path: Path, output: str) -> None:
    path = tmp_path / "sampletool"
    path.write_text(f"#!/bin/sh\necho '{output}'\necho 'go version v9.9.9'\n")
    path.chmod(0o755)

    assert tools.installed_version(tool, path) == VERSION


def test_a_program_put_into_the_cache_by_hand_is_used(tool: Tool, publisher: Publisher) -> None:
    install(tool.cached.parent, "sampletool", VERSION)

    assert tools.obtain(tool) == tool.cached
    assert publisher.requests == []


def test_a_cached_program_that_does_not_run_is_replaced(tool: Tool) -> None:
    tool.cached.parent.mkdir(parents=True)
    tool.cached.write_bytes(b"half a program")

    tools.obtain(tool)

    assert tools.installed_version(tool, tool.cached) == VERSION


def test_a_download_follows_redirects(tool: Tool, publisher: Publisher) -> None:
    for path in list(publisher.files):
        publisher.files["/elsewhere" + path] = publisher.files.pop(path)
        publisher.redirects[path] = "/elsewhere" + path

    assert tools.obtain(tool) == tool.cached


def test_a_program_is_taken_out_of_its_archive(tool: Tool, publisher: Publisher) -> None:
    packed = archive(**{"sampletool-1.2.3/README": b"read me", "sampletool-1.2.3/sampletool": program(VERSION)})
    name = f"sampletool.1.2.3.{tools.TILT_SYSTEMS[MACHINE.system]}.tar.gz"
    lines = f"{'0' * 64}  another.tar.gz\n{sha256(packed)}  {name}\n"
    publisher.files = {f"/{name}": packed, "/checksums.txt": lines.encode()}
    packaged = replace(
        tool,
        address=publisher.address + "/sampletool.{number}.{tilt_system}.tar.gz",
        checksums=publisher.address + "/checksums.txt",
        member="sampletool-{number}/sampletool",
    )

    assert tools.installed_version(packaged, tools.obtain(packaged)) == VERSION
    assert packaged.cached.read_bytes() == program(VERSION)


# Failures: each leaves the cache empty, and its error has the cause and a remedy.


def refused(tool: Tool, cache: Path) -> CannotRunError:
    with pytest.raises(CannotRunError) as caught:
        tools.obtain(tool)
    assert left_behind(cache) == [], "a failed download left something in the cache"
    return caught.value


def by_hand(tool: Tool) -> str:
    return f"put the program at {tool.cached} yourself"


def test_a_wrong_checksum_is_refused(tool: Tool, publisher: Publisher, cache: Path) -> None:
    for path in publisher.files:
        if not path.endswith(".sha256"):
            publisher.files[path] += b"# one line more"

    error = refused(tool, cache)

    assert "its publisher states" in error.reason
    assert sha256(program(VERSION)) in error.reason
    assert by_hand(tool) in error.remedy


def test_a_truncated_download_is_refused(tool: Tool, publisher: Publisher, cache: Path) -> None:
    publisher.truncated = {path for path in publisher.files if not path.endswith(".sha256")}

    error = refused(tool, cache)

    assert "could not be downloaded" in error.reason
    assert by_hand(tool) in error.remedy


def test_a_missing_release_is_refused(tool: Tool, publisher: Publisher, cache: Path) -> None:
    publisher.files.clear()

    error = refused(tool, cache)

    assert "answered 404" in error.reason
    assert publisher.address in error.reason
    assert by_hand(tool) in error.remedy


def test_an_unreachable_publisher_is_refused(tool: Tool, cache: Path) -> None:
    with publishing() as gone:
        pass

    error = refused(replace(tool, address=gone.address + "/x", checksums=gone.address + "/x.sha256"), cache)

    assert gone.address in error.reason
    assert by_hand(tool) in error.remedy


def test_a_checksum_file_that_does_not_list_the_download_is_refused(
    tool: Tool, publisher: Publisher, cache: Path
) -> None:
    for path in publisher.files:
        if path.endswith(".sha256"):
            publisher.files[path] = f"{'0' * 64}  another-file\n".encode()

    assert "does not list sampletool-" in refused(tool, cache).reason


def test_an_archive_without_the_program_is_refused(tool: Tool, publisher: Publisher, cache: Path) -> None:
    packed = archive(README=b"read me")
    publisher.files = {"/a.tar.gz": packed, "/sums": f"{sha256(packed)}  a.tar.gz".encode()}
    empty = replace(
        tool, address=publisher.address + "/a.tar.gz", checksums=publisher.address + "/sums", member="sampletool"
    )

    assert by_hand(tool) in refused(empty, cache).remedy


@pytest.mark.parametrize(
    ("tool", "machine", "address", "checksums"),
    [
        (
            tools.KIND,
            Machine("linux", "arm64"),
            "https://github.com/kubernetes-sigs/kind/releases/download/v0.33.0/kind-linux-arm64",
            "https://github.com/kubernetes-sigs/kind/releases/download/v0.33.0/kind-linux-arm64.sha256sum",
        ),
        (
            tools.KUBECTL,
            Machine("darwin", "amd64"),
            "https://dl.k8s.io/release/v1.36.4/bin/darwin/amd64/kubectl",
            "https://dl.k8s.io/release/v1.36.4/bin/darwin/amd64/kubectl.sha256",
        ),
        (
            tools.TILT,
            Machine("linux", "amd64"),
            "https://github.com/tilt-dev/tilt/releases/download/v0.37.6/tilt.0.37.6.linux.x86_64.tar.gz",
            "https://github.com/tilt-dev/tilt/releases/download/v0.37.6/checksums.txt",
        ),
        (
            tools.TILT,
            Machine("darwin", "arm64"),
            "https://github.com/tilt-dev/tilt/releases/download/v0.37.6/tilt.0.37.6.mac.arm64.tar.gz",
            "https://github.com/tilt-dev/tilt/releases/download/v0.37.6/checksums.txt",
        ),
        (
            tools.PROMTOOL,
            Machine("darwin", "arm64"),
            "https://github.com/prometheus/prometheus/releases/download/v3.16.0/prometheus-3.16.0.darwin-arm64.tar.gz",
            "https://github.com/prometheus/prometheus/releases/download/v3.16.0/sha256sums.txt",
        ),
    ],
)
def test_the_addresses_are_those_of_the_publishers(tool: Tool, machine: Machine, address: str, checksums: str) -> None:
    assert tool.fill(tool.address, machine) == address
    assert tool.fill(tool.checksums, machine) == checksums


def test_the_pinned_tools_are_first_on_path(tmp_path: Path) -> None:
    first = tools.environment([tmp_path / "a" / "kind", tmp_path / "b" / "tilt", tmp_path / "b" / "kubectl"])["PATH"]

    assert first.split(os.pathsep)[:2] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert first.endswith(os.environ["PATH"])
