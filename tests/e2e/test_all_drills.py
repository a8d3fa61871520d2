"""Every shutdown drill on kind passes, and its negative control fails by the check that it is for."""

from typing import Any

import pytest

from drydock.core.errors import FailedError, InconclusiveError
from drydock.drills.disruption import OWN_CONTROL, Disruption
from drydock.drills.drill_catalogue import DISRUPTIONS
from drydock.runs.verdict import FILE as VERDICT
from tests.e2e.drill_command import drill

# About a minute each: two of them run for every change, in test_drills.
pytestmark = pytest.mark.nightly


@pytest.mark.parametrize("kind", DISRUPTIONS, ids=lambda kind: kind.title)
def test_a_drill_passes(kind: type[Disruption[Any]]) -> None:
    done, folder = drill(kind.title)

    # A machine without CPU makes a run inconclusive, which is no failure of the service.
    assert done.returncode in (0, InconclusiveError.exit_code), f"{folder.name}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("kind", DISRUPTIONS, ids=lambda kind: kind.title)
def test_its_negative_control_fails_by_the_check_that_it_is_for(kind: type[Disruption[Any]]) -> None:
    done, folder = drill(kind.title, "--against", OWN_CONTROL)

    checks = {check["name"]: check["passed"] for check in folder.read_json(VERDICT)["checks"]}
    assert checks[kind.control_check] is False, f"{folder.name}: {checks}"
    assert done.returncode == FailedError.exit_code, done.stderr[-3000:]
