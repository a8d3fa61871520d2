"""Starts the stack of compose.yaml with its telemetry before the tests and removes it, with its volumes, afterwards."""

from collections.abc import Iterator

import pytest

from tests.compose.project import compose


@pytest.fixture(scope="session", autouse=True)
def up() -> Iterator[None]:
    # A run that was killed leaves its containers and its orders.
    compose("down", "--volumes")
    try:
        compose("up", "--wait", "--build")
        yield
    finally:
        compose("down", "--volumes")
