"""The stack of compose.yaml with its telemetry, built and up for all tests, gone with its volumes afterwards."""

from collections.abc import Iterator

import pytest

from tests.compose.project import compose


@pytest.fixture(scope="session", autouse=True)
def up() -> Iterator[None]:
    try:
        compose("up", "--wait", "--build")
        yield
    finally:
        compose("down", "--volumes")
