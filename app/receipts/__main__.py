"""`python -m app.receipts --host 0.0.0.0 --port 8000`: run a worker that serves its probes and metrics there."""

import argparse
import asyncio
import sys

from app.observability.logs import configure_logging
from app.observability.metrics import describe_target
from app.observability.resource import resource
from app.observability.sentry import configure_sentry
from app.receipts.process import WorkerProcess
from app.settings import load_settings


def main() -> int:
    """Returns the exit code."""
    arguments = argparse.ArgumentParser(prog="python -m app.receipts", description=__doc__)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=8000)
    address = arguments.parse_args()
    settings = load_settings()
    configure_logging(settings.log_level, resource(settings))
    describe_target(resource(settings))
    configure_sentry(settings)
    return asyncio.run(WorkerProcess(settings).run(address.host, address.port))


if __name__ == "__main__":
    sys.exit(main())
