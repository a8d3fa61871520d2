"""Runs the smoke load with the same command as a user."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from drydock.core.project import Project

RATE, SECONDS = 20, 30


def send(project: Project, platform: str, environment: Mapping[str, str] | None = None) -> None:
    """Run `drydock smoke`. If a request was lost, fail with the output of the command."""
    command = [str(Path(sys.executable).with_name("drydock")), "smoke", "--platform", platform]
    options = ["--rate", str(RATE), "--seconds", str(SECONDS)]
    done = subprocess.run(
        [*command, *options],
        cwd=project.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
