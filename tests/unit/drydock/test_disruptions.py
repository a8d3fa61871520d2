"""The shutdown drills promise what follows from their settings."""

from pathlib import Path
from typing import Any

import pytest

from drydock.core.project import Project
from drydock.drills.disruption import Disruption
from drydock.drills.disruptions.block_loop import BlockLoop
from drydock.drills.disruptions.kill_hard import KillHard
from drydock.drills.drill_catalogue import DISRUPTIONS

SETTINGS = Project.find(Path(__file__).parent).configuration.drills.disruptions


@pytest.mark.parametrize(
    ("kind", "rate", "lost"), [(KillHard, 210, 315), (KillHard, 40, 60), (BlockLoop, 210, 2100), (BlockLoop, 33, 330)]
)
def test_the_most_that_may_be_lost_is_what_one_of_two_pods_gets_at_the_configured_rate(
    kind: type[Disruption[Any]], rate: float, lost: int
) -> None:
    drill = kind(SETTINGS.model_copy(update={"rate": rate}))

    assert drill.objectives.lost == lost
    assert f"at most {lost:,}" in drill.hypothesis


@pytest.mark.parametrize("kind", DISRUPTIONS, ids=lambda kind: kind.title)
def test_every_drill_has_a_hypothesis(kind: type[Disruption[Any]]) -> None:
    hypothesis = kind(SETTINGS).hypothesis

    assert hypothesis.startswith("When ")
    assert hypothesis.endswith(".")
