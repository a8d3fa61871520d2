"""Unusual input, generated from the service's own OpenAPI document."""

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

# The stream ends only when its client disconnects. Faults such as block-loop would fail other requests.
SHOP = "--exclude-path=/orders/stream"
FAULTS = "--include-path=/faults"


def schemathesis(service: Service, selection: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Send generated requests. Fails on a 5xx and on any undocumented status, media type or body."""
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{service.url}/openapi.json",
            # The service may reject valid data: the stock can be too low, or the key already used.
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
def test_no_input_causes_a_5xx_or_an_undocumented_response(
    faults: str, selection: str, database: str, start: StartService, tmp_path: Path
) -> None:
    # The statement timeout bounds the slow queries. Longer ones would take up the whole time of the test.
    service = start(database, FAULTS_ENABLED=faults, DATABASE_COMMAND_SECONDS="0.5")
    service.wait_until_ready()
    run = schemathesis(service, selection, tmp_path)

    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    generated = re.search(r"(\d+) generated", run.stdout)
    assert generated is not None, run.stdout
    assert int(generated[1]) > 50, run.stdout


def test_the_search_for_bad_input_detects_a_500(shop: Service, database: str, tmp_path: Path) -> None:
    """The negative control."""
    for statement in SABOTAGE:
        run_sql(database, statement)
    run = schemathesis(shop, "--include-path=/products", tmp_path)
    assert run.returncode == 1
    assert "Server error" in run.stdout, run.stdout
