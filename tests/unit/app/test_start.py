"""A pod is there as soon as it can be: the service loads nothing that only its worker needs."""

import os
import subprocess
import sys


def test_the_service_does_not_load_what_draws_receipts() -> None:
    script = "import sys, app.main; sys.exit('reportlab' in sys.modules)"
    environment = {**os.environ, "DATABASE_URL": "postgresql://user:password@localhost/shop"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert done.returncode == 0, "app.main loads reportlab: 0.2 s of each pod's start"
