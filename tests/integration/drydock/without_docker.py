"""The command drydock as a user without Docker runs it in a checkout."""

import os
import subprocess
import sys
from pathlib import Path

# A `down` of a test can never reach a cluster of the developer's.
ENVIRONMENT = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock"}


def drydock(root: Path, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Runs it to its end, for at most so many seconds."""
    return subprocess.run(
        [sys.executable, "-m", "drydock", *arguments],
        cwd=root,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
