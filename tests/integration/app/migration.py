"""Runs the migrations as a process, with the command of the Job."""

import os
import subprocess
import sys

from tests.integration.app.service import ROOT


def start_migration(dsn: str, **environment: str) -> subprocess.Popen[str]:
    """Start the migrations and return immediately."""
    return subprocess.Popen(
        [sys.executable, "-m", "app.migrations"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": dsn, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def migrate(dsn: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the migrations and wait for their end."""
    with start_migration(dsn, **environment) as process:
        output, _ = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, output)
