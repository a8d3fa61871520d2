import errno
import platform
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import yaml

from drydock.cluster import docker
from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.doctor import examination
from drydock.doctor.checks import GIB, Diagnosis, Level
from drydock.pinned import releases
from drydock.system import ports
from drydock.system.ports import free_port, in_use, reserved

ROOT = Path(__file__).parents[3]
KIND = yaml.safe_load((ROOT / "k8s" / "kind.yaml").read_text())


def test_the_ports_are_those_of_the_kind_configuration() -> None:
    project = Project.find(ROOT)

    assert project.configuration.platforms.port("kind") in examination.published_ports(KIND)


def test_the_kind_configuration_accepts_cgroup_v1_and_one_without_the_patch_does_not() -> None:
    assert examination.accepts_cgroup_v1(KIND)
    assert not examination.accepts_cgroup_v1({"nodes": []})
    assert not examination.accepts_cgroup_v1(
        {"kubeadmConfigPatches": ["kind: KubeletConfiguration\nfailCgroupV1: true\n"]}
    )


def test_a_port_is_in_use_while_someone_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert in_use(port)
    assert not in_use(port)


def test_a_port_is_in_use_while_someone_listens_on_the_other_loopback_address_alone() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with listener:
        assert in_use(listener.getsockname()[1])


class Socket(socket.socket):
    """A socket on which an address cannot be bound; `errors` has the reason by the address' family."""

    errors: dict[socket.AddressFamily, int]

    def bind(self, address: Any) -> None:
        if number := self.errors.get(self.family):
            raise OSError(number, "refused")
        super().bind(address)


@pytest.mark.parametrize(
    ("errors", "used", "is_reserved"),
    [
        ({socket.AF_INET: errno.EACCES}, True, True),
        ({socket.AF_INET: errno.EADDRINUSE}, True, False),
        ({socket.AF_INET6: errno.EADDRNOTAVAIL}, False, False),
        ({socket.AF_INET6: errno.EAFNOSUPPORT}, False, False),
        ({}, False, False),
    ],
    ids=str,
)
def test_why_an_address_cannot_be_bound(
    monkeypatch: pytest.MonkeyPatch, errors: dict[socket.AddressFamily, int], used: bool, is_reserved: bool
) -> None:
    port = free_port()
    monkeypatch.setattr(Socket, "errors", errors, raising=False)
    monkeypatch.setattr(socket, "socket", Socket)

    assert in_use(port) is used
    assert reserved(port) is is_reserved


def test_a_machine_without_ipv6_is_no_reason_to_call_a_port_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    port, real = free_port(), socket.socket

    def without_ipv6(family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
        if family is socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "no IPv6")
        return real(family)

    monkeypatch.setattr(socket, "socket", without_ipv6)

    assert not in_use(port)


@pytest.mark.parametrize(("release", "shows"), [("5.15.167.4-microsoft-standard-WSL2", "netstat"), ("6.8.0", "lsof")])
def test_who_listens_is_asked_by_the_program_that_sees_it(
    monkeypatch: pytest.MonkeyPatch, release: str, shows: str
) -> None:
    monkeypatch.setattr(platform, "release", lambda: release)

    assert ports.listeners_command(5001).startswith(shows)


@pytest.mark.parametrize(
    ("system", "engine", "memory", "shared"),
    [
        ("linux", "Debian GNU/Linux 12", 16, True),
        ("linux", "Docker Desktop", 16, False),
        ("darwin", "Debian GNU/Linux 12", 16, False),
        ("linux", "Ubuntu 24.04 LTS", 4, False),
    ],
)
def test_only_an_engine_on_this_very_kernel_shares_its_memory_and_limits(
    monkeypatch: pytest.MonkeyPatch, system: str, engine: str, memory: int, shared: bool
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=16 * GIB))

    info = {"MemTotal": memory * GIB, "OperatingSystem": engine}

    assert examination.shares_kernel(info) is shared


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (
            '{"Components": [{"Name": "Podman Engine", "Version": "5.0"}, {"Name": "Conmon"}]}',
            ["Podman Engine", "Conmon"],
        ),
        ('{"Version": "20.10"}', []),
        ("null", []),
    ],
)
def test_the_engine_names_its_parts(monkeypatch: pytest.MonkeyPatch, answer: str, names: list[str]) -> None:
    monkeypatch.setattr(docker, "output", lambda *_, **__: answer)

    assert docker.components() == names


def test_without_an_engine_the_doctor_says_so_and_still_looks_at_the_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> None:
        raise CannotRunError("Docker is not reachable: no socket", "Start Docker.")

    monkeypatch.setattr(docker, "information", unreachable)

    findings = examination.examine(Project.find(ROOT))

    assert findings[0] == Diagnosis("engine", Level.BLOCKED, "Docker is not reachable: no socket", "Start Docker.")
    assert {"kind", "kubectl", "tilt"} <= {finding.subject for finding in findings}


def test_another_file_in_the_place_of_a_release_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYDOCK_CACHE", str(tmp_path))
    assert "will be downloaded" in next(examination.release_manifests()).text
    releases.METRICS_SERVER.cached.parent.mkdir()
    releases.METRICS_SERVER.cached.write_text("kind: Malware\n")

    finding = next(examination.release_manifests())

    assert finding.level is Level.BLOCKED
    assert "Remove that file" in finding.remedy


def test_only_what_blocks_stops_up(capsys: pytest.CaptureFixture[str]) -> None:
    warning = Diagnosis("disk", Level.WARNING, "little left", "Free some.")

    examination.refuse_if_blocked([Diagnosis("engine", Level.OK, "fine"), warning])
    assert "little left" in capsys.readouterr().err
    with pytest.raises(CannotRunError):
        examination.refuse_if_blocked([warning, Diagnosis("memory", Level.BLOCKED, "1 GiB", "Give it more.")])


def test_brackets_in_a_finding_are_printed_and_not_taken_for_styles(capsys: pytest.CaptureFixture[str]) -> None:
    examination.report([Diagnosis("engine", Level.WARNING, "error [red] seen", "see [docs]")])

    out = capsys.readouterr().out
    assert "error [red] seen" in out
    assert "see [docs]" in out
