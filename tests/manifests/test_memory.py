"""The telemetry stack stays within its documented memory, and its parts can be left out by name."""

import pytest

from drydock.cluster.stack import TELEMETRY
from drydock.manifests.objects import Object, container
from drydock.manifests.quantities import size
from tests.manifests.conftest import objects
from tests.manifests.rules import memory

MIB = 2**20
# For comparison: the telemetry part of opentelemetry-demo has limits of 2.7 GiB.
BUDGETS = {"dev": 2024 * MIB, "parity": 2024 * MIB, "dev-small": 1200 * MIB, "parity-small": 1200 * MIB}


@pytest.mark.parametrize(("overlay", "budget"), BUDGETS.items())
def test_the_limits_stay_within_the_stated_budget(overlay: str, budget: int) -> None:
    assert memory.within(objects(f"overlays/{overlay}"), budget) == []


@pytest.mark.parametrize("overlay", BUDGETS)
def test_go_programs_know_their_limit(overlay: str) -> None:
    assert memory.go_knows_its_limit(objects(f"overlays/{overlay}")) == []


@pytest.mark.parametrize("overlay", BUDGETS)
def test_grafana_gets_what_its_documentation_asks_for(overlay: str) -> None:
    limits = memory.telemetry(objects(f"overlays/{overlay}"))["grafana"]["resources"]["limits"]
    assert size(limits["memory"]) >= 512 * MIB


def test_every_part_can_be_left_out_by_its_name(parity: list[Object]) -> None:
    assert set(memory.telemetry(parity)) == TELEMETRY


def test_a_part_that_grows_is_found(parity: list[Object]) -> None:
    container(parity, "Deployment", "jaeger")["resources"]["limits"]["memory"] = "2Gi"
    assert len(memory.within(parity, BUDGETS["parity"])) == 1
    assert memory.go_knows_its_limit(parity) == ["jaeger: GOMEMLIMIT is 16% of the limit"]
