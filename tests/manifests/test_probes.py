"""The probes have the rhythm that docs/reference/service.md describes; `drydock check` knows what they must ask."""

import pytest

from drydock.check.subject import PROBES
from drydock.manifests.objects import container

# The port, and the period in seconds.
RHYTHM = {"startupProbe": ("http", 5), "livenessProbe": ("http", 10), "readinessProbe": ("http", 5)}
STARTUP_FAILURES = 30


@pytest.mark.parametrize("name", ["shop", "receipts"])
@pytest.mark.parametrize("overlay", ["dev", "parity"])
def test_ports_and_periods_are_as_designed(overlay: str, name: str, request: pytest.FixtureRequest) -> None:
    spec = container(request.getfixturevalue(overlay), "Deployment", name)
    assert {kind: (spec[kind]["httpGet"]["port"], spec[kind]["periodSeconds"]) for kind in PROBES} == RHYTHM
    assert spec["startupProbe"]["failureThreshold"] == STARTUP_FAILURES
