"""The local registry when something is in its way: a taken port, a push that fails, no answer."""

import pytest

from drydock.cluster import docker, registry
from drydock.core.console import Step
from drydock.core.errors import CannotRunError, FailedError
from drydock.system.ports import free_port

TAKEN = [
    "Bind for 127.0.0.1:5001 failed: port is already allocated.",
    "Ports are not available: exposing port TCP 127.0.0.1:5001 -> 127.0.0.1:0: listen tcp 127.0.0.1:5001: bind: ...",
    "failed to bind host port: listen tcp4 127.0.0.1:5001: bind: address already in use",
]


class Engine:
    """An engine in which `fails` (the first argument of a command) fails for `reason`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: str, reason: str, state: str | None = None) -> None:
        self.fails, self.reason, self.state = fails, reason, state
        self.done: list[str] = []
        monkeypatch.setattr(docker, "docker", self.docker)
        monkeypatch.setattr(docker, "container_state", lambda _: self.state)

    def docker(self, *arguments: str) -> str:
        if arguments[0] == self.fails:
            self.state = self.state or "created"
            raise FailedError(f"`docker {' '.join(arguments)}` failed (125):\ndocker: {self.reason}")
        self.done.append(" ".join(arguments))
        return ""


@pytest.mark.parametrize("reason", TAKEN)
def test_a_taken_port_is_told_with_where_to_look_and_leaves_no_container(
    monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    engine = Engine(monkeypatch, "run", reason)

    with pytest.raises(CannotRunError, match="the registry does not start") as refused:
        registry.start()

    assert "lsof -iTCP:5001" in refused.value.remedy
    assert "k8s/kind.yaml and in drydock.toml" in refused.value.remedy
    assert engine.done == ["rm --force drydock-registry"]


def test_a_container_that_was_there_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(monkeypatch, "start", TAKEN[0], state="exited")

    with pytest.raises(CannotRunError):
        registry.start()

    assert engine.done == []


def test_another_reason_has_another_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    Engine(monkeypatch, "run", "no space left on device")

    with pytest.raises(CannotRunError, match="no space left") as refused:
        registry.start()

    assert refused.value.remedy == "Look at `docker logs drydock-registry`."


def test_an_image_that_cannot_be_pushed_is_told_once_and_the_others_are_pushed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pushed: list[str] = []

    def push(*arguments: str) -> str:
        if arguments[0] == "push" and "postgres" in arguments[-1]:
            raise FailedError("`docker push` failed (1):\nimage does not provide any platform")
        if arguments[0] == "push":
            pushed.append(arguments[-1])
        return ""

    monkeypatch.setattr(docker, "docker", push)
    monkeypatch.setattr(registry, "holds", lambda _: False)

    registry.push_missing(["postgres:18", "quay.io/x/y:2"], progress := Step("registry"))

    assert pushed == ["localhost:5001/quay.io/x/y:2"]
    assert progress.detail == "2 images, 1 pushed, 1 failed"
    told = capsys.readouterr().err
    assert told.count("postgres:18 was not pushed") == 1
    assert "does not provide any platform" in told


def test_a_registry_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "PORT", free_port())

    with pytest.raises(CannotRunError, match="the registry does not answer") as refused:
        registry.holds("postgres:18")

    assert "docker logs drydock-registry" in refused.value.remedy
