"""The journal of a drill is the lock of the service: it belongs to the drill that wrote it."""

from collections.abc import Sequence
from typing import Any

import pytest

from drydock.core.errors import CannotRunError
from drydock.drills.restoration import restored
from drydock.targets.journal import Journal
from drydock.targets.kind import KindTarget
from drydock.targets.state import Part
from tests.unit.drydock.config_map import ConfigMapDouble


class Replicas:
    """A part of the service that both drills see."""

    title = "Deployment shop"
    value = 2

    def read(self) -> int:
        return self.value

    def restore(self, before: int) -> None:
        self.value = before


class Target(KindTarget):
    """A target with a journal in `namespace` and one part."""

    def __init__(self, namespace: Any, part: Replicas) -> None:
        self.journal = Journal(namespace)
        self.part = part

    @property
    def parts(self) -> Sequence[Part]:
        return (self.part,)


@pytest.fixture
def targets() -> tuple[Target, Target]:
    """Two drills on one service."""
    namespace, part = ConfigMapDouble(), Replicas()
    return Target(namespace, part), Target(namespace, part)


def refused(target: Target, *, keep: bool) -> None:
    with pytest.raises(CannotRunError, match="another drill is running"), restored(target, "second", keep=keep):
        pytest.fail("the second drill has begun")


def test_a_refused_drill_does_not_list_the_changes_of_the_other(
    targets: tuple[Target, Target], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = targets
    first.begin("first")
    first.part.value = 3

    refused(second, keep=True)

    assert "Kept" not in capsys.readouterr().err
    assert first.changed_parts() == ["Deployment shop"]


def test_a_refused_drill_restores_nothing_of_the_other(targets: tuple[Target, Target]) -> None:
    first, second = targets
    first.begin("first")
    first.part.value = 3

    refused(second, keep=False)

    assert first.part.value == 3
    first.restore()
    assert first.part.value == 2
    assert not first.changed_parts()


def test_a_restored_service_is_free_for_the_next_drill(targets: tuple[Target, Target]) -> None:
    first, second = targets
    with restored(first, "first"):
        first.part.value = 3

    with restored(second, "second"):
        assert second.part.read() == 2
