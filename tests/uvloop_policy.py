"""Tests on the judge's own event loop: import the fixture, and set `pytestmark = ON_UVLOOP`."""

import pytest
import uvloop

# pytest-asyncio warns for each test that a module overrides the policy.
ON_UVLOOP = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture")


@pytest.fixture
def event_loop_policy() -> uvloop.EventLoopPolicy:
    """The judge's own event loop."""
    return uvloop.EventLoopPolicy()
