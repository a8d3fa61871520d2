"""The ways in which the service's command is run, and how the process ends in each."""

import pytest

from tests.integration.app.service import can_be_pid_1

# Linux alone has PID namespaces, and some distributions keep them from users; tests/e2e has PID 1 in any case.
NAMESPACES = pytest.mark.skipif(not can_be_pid_1(), reason="this machine gives no PID namespace: see make e2e")
MODES = ["plain", pytest.param("pid 1", marks=NAMESPACES), "workers"]
# Measured in notes of the uvicorn project: as PID 1 the re-raised SIGTERM is ignored (0), otherwise it ends the process
# (143); the parent of --workers ends by itself (0).
EXIT_CODES = {"plain": 143, "pid 1": 0, "workers": 0}
