"""Docker Compose with a separate project name, so that the tests do not touch the user's stack and volume."""

import os
import subprocess
from pathlib import Path

from drydock.core.project import Project

ROOT = Path(__file__).parents[2]
PROJECT = Project.find(ROOT)
URL = PROJECT.configuration.platforms.compose
NAME = "drydock-test"


def compose(*arguments: str) -> str:
    """Run docker compose with the telemetry profile and return its stdout."""
    command = ["docker", "compose", "--profile", "observability", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"docker compose {' '.join(arguments)} failed:\n{done.stderr[-3000:]}"
    return done.stdout


def environment() -> dict[str, str]:
    """The environment that makes docker compose use this project name."""
    return {**os.environ, "COMPOSE_PROJECT_NAME": NAME}
