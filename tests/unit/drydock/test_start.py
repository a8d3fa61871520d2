"""A command is there at once: what takes long to load is loaded by the commands that need it."""

import subprocess
import sys

import pytest

# matplotlib takes a second, the OpenTelemetry SDK half of one.
SLOW = ["matplotlib", "numpy", "opentelemetry.sdk"]


@pytest.mark.parametrize("package", SLOW)
def test_the_command_line_starts_without(package: str) -> None:
    script = f"import sys, drydock.cli; sys.exit({package!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == 0, f"`drydock` loads {package}, whatever the command"
