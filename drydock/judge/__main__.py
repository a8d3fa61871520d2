"""`python -m drydock.judge`: runs the plan in the variable JUDGE_PLAN."""

import os
import sys

import uvloop

from drydock.core.errors import CannotRunError
from drydock.judge.plan import VARIABLE, Plan
from drydock.judge.run import emit, judge
from drydock.requests.outcome import ExhaustedError


def main() -> int:
    """Returns 0 where it accounted for everything, 2 where it could not run."""
    try:
        uvloop.run(judge(Plan.parse(os.environ[VARIABLE])))
    except (CannotRunError, ExhaustedError, KeyError, ValueError) as error:
        reason = f"this machine has run out of something: {error}" if isinstance(error, ExhaustedError) else str(error)
        print(f"could not run: {reason}", file=sys.stderr, flush=True)  # noqa: T201 - its log
        emit(ended=CannotRunError.exit_code, reason=reason)
        return CannotRunError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
