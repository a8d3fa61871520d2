"""A wrong environment variable stops the startup with an error that names the variable and the remedy."""

import pytest

from tests.integration.app.conftest import StartService
from tests.integration.app.service import running

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "DATABASE_URL: is missing; set it to postgresql://USER:PASSWORD@HOST:5432/NAME"),
        ({"DATABASE_URL": f"mysql://app:{SECRET}@db/app"}, "DATABASE_URL: is not a postgresql:// address; set it to"),
        ({"DATABASE_POOL_SIZE": "many"}, "DATABASE_POOL_SIZE: Input should be a valid integer"),
        ({"DATABASE_POOL_SIZE": "0"}, "DATABASE_POOL_SIZE: Input should be greater than or equal to 1"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error'"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"OTEL_TRACES_SAMPLER_ARG": "5"}, "OTEL_TRACES_SAMPLER_ARG: Input should be less than or equal to 1"),
    ],
)
def test_a_wrong_variable_is_named_and_stops_the_startup(environment: dict[str, str], message: str) -> None:
    valid = {} if not environment or "DATABASE_URL" in environment else {"DATABASE_URL": "postgresql://a:b@c/d"}
    with running({**valid, **environment}) as service:
        assert service.wait_for_exit(20) == 3
    output = "".join(service.output)
    assert f"configuration: {message}" in output
    assert SECRET not in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_with_workers_a_wrong_variable_also_ends_the_parent() -> None:
    with running({}, mode="workers") as service:
        service.wait_for_exit(20)
    assert "configuration: DATABASE_URL: is missing" in "".join(service.output)


def test_the_faults_routes_are_disabled_by_default(database: str, start: StartService) -> None:
    service = start(database)
    service.wait_until_ready()
    answer = service.get("/faults")
    assert answer is not None
    assert answer.status_code == 404
