"""Input that nobody would send on purpose: generated from the service's own OpenAPI document."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.app.conftest import StartService
from tests.integration.app.postgres import run_sql
from tests.integration.app.service import Service
from tests.integration.app.test_unexpected import SABOTAGE

pytestmark = pytest.mark.slow

# A stream ends when its client leaves, and a fault that is meant to hurt proves nothing about input.
SHOP = "--exclude-path=/orders/stream"
FAULTS = "--include-path=/faults"


def schemathesis(service: Service, selection: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Send generated requests: no 5xx, no status, media type or body that the document does not promise."""
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{service.url}/openapi.json",
            # Valid data may be refused: stock can be short, and a key used before.
            "--exclude-checks=positive_data_acceptance",
            "--phases=examples,coverage,fuzzing",
            "--max-examples=25",
            "--seed=1",
            "--request-timeout=10",
            selection,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.mark.parametrize(("faults", "selection"), [("false", SHOP), ("true", FAULTS)])
def test_no_input_makes_the_service_fail_or_answer_what_it_does_not_document(
    faults: str, selection: str, database: str, start: StartService, tmp_path: Path
) -> None:
    # A slow query of any length that is asked for would be the whole time of the test; a longer one is refused.
    service = start(database, FAULTS_ENABLED=faults, DATABASE_COMMAND_SECONDS="0.5")
    service.wait_until_ready()
    run = schemathesis(service, selection, tmp_path)

    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    generated = re.search(r"(\d+) generated", run.stdout)
    assert generated is not None, run.stdout
    assert int(generated[1]) > 50, run.stdout


def test_the_search_for_bad_input_can_fail(shop: Service, database: str, tmp_path: Path) -> None:
    """The negative control: a service that answers 500 is found out."""
    for statement in SABOTAGE:
        run_sql(database, statement)
    run = schemathesis(shop, "--include-path=/products", tmp_path)
    assert run.returncode == 1
    assert "Server error" in run.stdout, run.stdout
