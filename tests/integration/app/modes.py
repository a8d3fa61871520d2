"""The ways to run the service's command, and the exit code of each."""

import pytest

from tests.integration.app.service import can_be_pid_1

# Only Linux has PID namespaces, and some distributions deny them to users. tests/e2e always covers PID 1.
NAMESPACES = pytest.mark.skipif(not can_be_pid_1(), reason="no user PID namespaces here: run make e2e")
MODES = [
    "plain",
    pytest.param("pid 1", marks=[NAMESPACES, pytest.mark.slow]),
    pytest.param("workers", marks=pytest.mark.slow),
]
# uvicorn raises SIGTERM again after its shutdown. PID 1 ignores that signal and exits with 0; any other process ends
# with 143. The parent of --workers exits with 0.
EXIT_CODES = {"plain": 143, "pid 1": 0, "workers": 0}
