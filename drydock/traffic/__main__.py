"""`python -m drydock.traffic`: see `--help`."""

import asyncio
import sys

from drydock.core.errors import CannotRunError
from drydock.traffic.options import Options
from drydock.traffic.run import run


def main() -> int:
    """Runs it; the exit code is 0 (nothing lost), 1 (something lost) or 2 (could not run)."""
    try:
        return asyncio.run(run(Options.read()))
    except CannotRunError as error:
        sys.stderr.write(f"cannot run: {error.reason}\n" + (f"remedy: {error.remedy}\n" if error.remedy else ""))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
