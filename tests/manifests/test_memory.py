"""The telemetry stack fits where it is said to fit, and its parts can be left out by name."""

import pytest

from drydock.cluster.stack import TELEMETRY
from drydock.manifests.objects import Object, container
from tests.manifests.conftest import objects
from tests.manifests.rules import memory

MIB = 2**20
# The telemetry part of opentelemetry-demo alone has limits of 2.7 GiB.
BUDGETS = {"dev": 1640 * MIB, "parity": 1640 * MIB, "dev-small": 944 * MIB, "parity-small": 944 * MIB}


@pytest.mark.parametrize(("overlay", "budget"), BUDGETS.items())
def test_the_limits_stay_within_the_stated_budget(overlay: str, budget: int) -> None:
    assert memory.within(objects(f"overlays/{overlay}"), budget) == []


@pytest.mark.parametrize("overlay", BUDGETS)
def test_go_programs_know_their_limit(overlay: str) -> None:
    assert memory.go_knows_its_limit(objects(f"overlays/{overlay}")) == []


def test_every_part_can_be_left_out_by_its_name(parity: list[Object]) -> None:
    assert set(memory.telemetry(parity)) == TELEMETRY


def test_a_part_that_grows_is_found(parity: list[Object]) -> None:
    container(parity, "Deployment", "jaeger")["resources"]["limits"]["memory"] = "2Gi"
    assert len(memory.within(parity, BUDGETS["parity"])) == 1
    assert memory.go_knows_its_limit(parity) == ["jaeger: GOMEMLIMIT is 16% of the limit"]
