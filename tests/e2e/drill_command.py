"""The command of a drill, run as a person runs it."""

import subprocess
import sys

from drydock.core.errors import FailedError, InconclusiveError
from drydock.runs.folder import RunFolder
from tests.e2e import cluster

SECONDS = 400
ATTEMPTS = 3  # for a machine that was too busy, see was_busy
RATE = 100  # half of the default: two cores that are shared with other machines answer it at any time
# A run with a verdict. On a busy machine it is inconclusive.
DECIDED = (0, FailedError.exit_code, InconclusiveError.exit_code)


def drill(*arguments: str) -> tuple[subprocess.CompletedProcess[str], RunFolder]:
    """Run the command of a drill. Returns the finished process and the run folder."""
    command = [sys.executable, "-m", "drydock", "drill", *arguments, f"--rate={RATE}"]
    root = cluster.PROJECT.root
    for _ in range(ATTEMPTS):
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=SECONDS)
        print(done.stderr)
        if not was_busy(done):
            break
    assert done.returncode in DECIDED, done.stderr[-3000:]
    return done, RunFolder.all(cluster.PROJECT)[0]


def was_busy(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether the machine was so busy that no steady state held."""
    return done.returncode not in DECIDED and "steady state does not hold" in done.stderr
