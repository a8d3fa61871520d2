import socket
from pathlib import Path

import pytest
import yaml

from drydock.cluster import docker
from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.doctor import examination
from drydock.doctor.checks import Diagnosis, Level
from drydock.pinned import releases
from drydock.system.ports import in_use

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
