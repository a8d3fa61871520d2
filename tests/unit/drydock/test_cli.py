from pathlib import Path

import pytest
from typer.testing import CliRunner

from drydock.cli import main
from drydock.cluster import docker
from drydock.cluster.platform import KindPlatform
from drydock.core.errors import CannotRunError, FailedError
from drydock.doctor import examination
from drydock.doctor.checks import Diagnosis, Level
from drydock.local.platform import LocalPlatform

ROOT = Path(__file__).parents[3]
OK = Diagnosis("engine", Level.OK, "Docker 29")
BLOCKED = Diagnosis("memory", Level.BLOCKED, "1 GiB", "Give it more.")


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def unreachable() -> None:
    raise CannotRunError("Docker is not reachable: no socket", "Start Docker.")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of `drydock` with these arguments."""
    monkeypatch.setattr("sys.argv", ["drydock", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(("findings", "code"), [([OK], 0), ([OK, BLOCKED], 2)])
def test_the_exit_code_of_doctor_is_2_if_a_finding_blocks(
    monkeypatch: pytest.MonkeyPatch, findings: list[Diagnosis], code: int
) -> None:
    monkeypatch.setattr(examination, "examine", lambda project: findings)

    assert run(monkeypatch, "doctor") == code


def test_up_starts_nothing_if_a_finding_blocks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docker, "information", dict)
    monkeypatch.setattr(examination, "examine", lambda project: [OK, BLOCKED])
    monkeypatch.setattr(KindPlatform, "prepare", lambda self: pytest.fail("the platform was started"))

    assert run(monkeypatch, "up") == 2
    shown = capsys.readouterr().err
    assert "Give it more." in shown
    assert "not ready" in shown


def test_without_docker_up_starts_the_local_platform_and_first_prints_its_disclaimer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[str] = []
    monkeypatch.setattr(docker, "information", unreachable)
    monkeypatch.setattr(LocalPlatform, "run", lambda self: started.append("run"))

    assert run(monkeypatch, "up") == 0
    assert started == ["run"]
    first = capsys.readouterr().err.splitlines()[0]
    assert "claims nothing about Kubernetes" in first
    assert "no socket" in first


def test_up_on_kind_without_docker_fails_and_starts_no_other_platform(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docker, "information", unreachable)
    monkeypatch.setattr(LocalPlatform, "run", lambda self: pytest.fail("the local platform was started"))

    assert run(monkeypatch, "up", "--platform", "kind") == 2
    assert "no socket" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "result"),
    [
        (FailedError("it [did] not work", "Try that."), 1, "failed"),
        (CannotRunError("no [way]", "Go."), 2, "cannot run"),
    ],
)
def test_an_error_has_a_reason_a_remedy_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: FailedError, code: int, result: str
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(main, "app", fail)

    assert run(monkeypatch) == code
    shown = capsys.readouterr().err
    assert f"{result}  {error.reason}" in shown
    assert f"remedy  {error.remedy}" in shown


def test_ctrl_c_has_its_own_exit_code_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(docker, "information", interrupted)

    assert run(monkeypatch, "up") == 130
    assert "Run the same command again" in capsys.readouterr().err


def test_an_unknown_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "up", "--mode", "production") == 2


@pytest.mark.parametrize("command", ["up", "down", "status", "smoke", "doctor", "env"])
def test_every_command_has_a_help_text(command: str) -> None:
    shown = CliRunner().invoke(main.app, [command, "--help"])

    assert shown.exit_code == 0
    assert len(shown.output.split()) > 20
