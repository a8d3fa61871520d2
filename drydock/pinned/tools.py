"""The programs that drydock runs, each pinned to one exact version: from PATH if it has that version, else downloaded.

A download stays in the cache folder, so that later runs need no network. It gets its final name there only after its
SHA-256 has been checked against the publisher's checksum file.
"""

import os
import platform
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drydock.core.console import Step, step
from drydock.core.errors import CannotRunError
from drydock.core.project import cache_folder
from drydock.pinned import downloads

VERSION_SECONDS = 20.0

# Publishers name architectures in two ways: most use Go's names, Tilt's archives use their own.
GO_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
TILT_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
TILT_SYSTEMS = {"linux": "linux", "darwin": "mac"}


@dataclass(frozen=True)
class Machine:
    """The operating system and processor that a program is for, as Go names them."""

    system: str
    architecture: str

    @classmethod
    def this(cls) -> "Machine":
        """The machine that this process runs on.

        Raises:
            CannotRunError: there are no downloads for it.
        """
        system, architecture = platform.system().lower(), GO_ARCHITECTURES.get(platform.machine().lower(), "")
        if system not in TILT_SYSTEMS or not architecture:
            reason = f"there are no downloads for {platform.system()} on {platform.machine()}"
            raise CannotRunError(reason, "Use Linux or macOS (Windows: WSL 2) on x86-64 or arm64.")
        return cls(system, architecture)


@dataclass(frozen=True)
class Tool:
    """A program, its pinned version and the addresses of its publisher.

    `version_arguments` make it print its version. The addresses and `member` are templates of `version` (v1.2.3),
    `number` (1.2.3), `system`, `architecture`, and Tilt's names of both. `member` is the program's path in an archive;
    without it, the download is the program itself.
    """

    name: str
    version: str
    version_arguments: Sequence[str]
    address: str
    checksums: str
    member: str | None = None

    def fill(self, template: str, machine: Machine) -> str:
        """`template` with the values for this version and `machine`."""
        return template.format(
            version=self.version,
            number=self.version.removeprefix("v"),
            system=machine.system,
            architecture=machine.architecture,
            tilt_system=TILT_SYSTEMS[machine.system],
            tilt_architecture=TILT_ARCHITECTURES[machine.architecture],
        )

    @property
    def cached(self) -> Path:
        """The file in the cache folder."""
        return cache_folder() / "tools" / self.name / self.version / self.name


_KIND = "https://github.com/kubernetes-sigs/kind/releases/download/{version}/kind-{system}-{architecture}"
_KUBECTL = "https://dl.k8s.io/release/{version}/bin/{system}/{architecture}/kubectl"
_TILT = "https://github.com/tilt-dev/tilt/releases/download/{version}"
_PROMETHEUS = "https://github.com/prometheus/prometheus/releases/download/{version}"

KIND = Tool("kind", "v0.33.0", ["version"], _KIND, _KIND + ".sha256sum")
KUBECTL = Tool("kubectl", "v1.36.4", ["version", "--client"], _KUBECTL, _KUBECTL + ".sha256")
TILT = Tool(
    "tilt",
    "v0.37.6",
    ["version"],
    _TILT + "/tilt.{number}.{tilt_system}.{tilt_architecture}.tar.gz",
    _TILT + "/checksums.txt",
    member="tilt",
)
# `drydock up` downloads these. promtool is downloaded by the tests of the Prometheus rules.
TOOLS = (KIND, KUBECTL, TILT)
PROMTOOL = Tool(
    "promtool",
    "v3.16.0",
    ["--version"],
    _PROMETHEUS + "/prometheus-{number}.{system}-{architecture}.tar.gz",
    _PROMETHEUS + "/sha256sums.txt",
    member="prometheus-{number}.{system}-{architecture}/promtool",
)


def locate(tool: Tool) -> Path | None:
    """The program in its pinned version, from PATH or the cache folder; None if it is in neither."""
    on_path = shutil.which(tool.name)
    candidates = [Path(on_path)] if on_path else []
    return next((path for path in (*candidates, tool.cached) if installed_version(tool, path) == tool.version), None)


def installed_version(tool: Tool, path: Path) -> str | None:
    """The version that the program at `path` prints; None if it does not run or prints none."""
    try:
        completed = subprocess.run(
            [path, *tool.version_arguments], capture_output=True, check=False, text=True, timeout=VERSION_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # `v1.2.3`, or `version 1.2.3` from Prometheus' programs.
    found = re.search(r"\bv(?:ersion )?(\d+\.\d+\.\d+[^\s,]*)", completed.stdout)
    return f"v{found[1]}" if found else None


def obtain(tool: Tool) -> Path:
    """The program in its pinned version, downloaded if it is missing.

    Raises:
        CannotRunError: the download failed or its checksum is wrong. The cache folder is unchanged.
    """
    if path := locate(tool):
        return path
    machine = Machine.this()
    with step(f"{tool.name} {tool.version}") as progress:
        download(tool, machine, progress)
    return tool.cached


def environment(tools: Sequence[Path]) -> Mapping[str, str]:
    """Variables that put the folders of these programs first on PATH, because Tilt runs kubectl by name."""
    folders = dict.fromkeys(str(path.parent) for path in tools)
    return {"PATH": os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])}


def download(tool: Tool, machine: Machine, progress: Step) -> None:
    """Downloads the program, verifies its checksum, and moves it into the cache folder in one rename."""
    address = tool.fill(tool.address, machine)
    with downloads.explained(address, _by_hand(tool)):
        expected = published_checksum(tool.fill(tool.checksums, machine), file_name=address.rsplit("/", 1)[1])
        with downloads.beside(tool.cached) as unfinished:
            downloads.fetch(address, unfinished, expected, progress)
            if tool.member:
                _extract(unfinished, tool.fill(tool.member, machine))
            unfinished.chmod(0o755)
            unfinished.replace(tool.cached)


def published_checksum(address: str, file_name: str) -> str:
    """The SHA-256 of `file_name` in a publisher's checksum file, which is a bare hash or lines of hash and name.

    Raises:
        CannotRunError: the checksum file does not list `file_name`.
    """
    with downloads.client() as client:
        lines = [line.split() for line in client.get(address).raise_for_status().text.splitlines()]
    for line in lines:
        if line and re.fullmatch(r"[0-9a-f]{64}", line[0]) and (len(line) == 1 or line[1].lstrip("*") == file_name):
            return line[0]
    raise CannotRunError(f"{address} does not list {file_name}", "Check the version in drydock/pinned/tools.py.")


def _extract(archive: Path, member: str) -> None:
    """Replaces the archive with its `member`."""
    try:
        with tarfile.open(archive) as content:
            program = content.extractfile(member) if member in content.getnames() else None
            if program is None:
                raise OSError(f"the archive has no file {member}")
            extracted = program.read()
    except tarfile.TarError as error:
        raise OSError(f"it is not an archive: {error}") from error
    archive.write_bytes(extracted)


def _by_hand(tool: Tool) -> str:
    return f"Try again, install {tool.name} {tool.version} on PATH, or put the program at {tool.cached} yourself."
