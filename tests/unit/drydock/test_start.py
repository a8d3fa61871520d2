"""The command line starts fast: a command imports slow packages only when it needs them."""

import subprocess
import sys

import pytest

# matplotlib takes a second, the OpenTelemetry SDK half of one.
SLOW = ["matplotlib", "numpy", "opentelemetry.sdk"]


@pytest.mark.parametrize("package", SLOW)
def test_the_command_line_starts_without(package: str) -> None:
    script = f"import sys, drydock.cli; sys.exit({package!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == 0, f"every `drydock` command imports {package}"
