"""`python -m loadtest SCENARIO …`: the master of one run, which keeps its results until they were fetched.

What follows the scenario goes to locust. The last line on stdout is `{"ended": <locust's exit code>}`; then it waits
for the file `collected` among the results, but not for ever. SIGTERM and SIGINT end the load before its time: the
requests under way are answered, and all that was sent is accounted for.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

FOLDER = Path(__file__).parent
RESULTS = Path("/results")
COLLECTED = RESULTS / "collected"
COLLECT_SECONDS = 900.0


def main(scenario: str, options: list[str]) -> int:
    """Runs locust to its end; its exit code."""
    process = subprocess.Popen([sys.executable, "-m", "locust", *arguments(scenario), *options])

    def end(_number: int, _frame: FrameType | None) -> None:
        COLLECTED.touch() if process.poll() is not None else process.send_signal(signal.SIGUSR1)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    code = process.wait()
    sys.stdout.write(json.dumps({"ended": code}) + "\n")
    sys.stdout.flush()
    wait_for_collection()
    return code


def arguments(scenario: str) -> list[str]:
    """Locust's arguments for one run without its page."""
    return [
        f"--locustfile={FOLDER / 'scenarios' / scenario}.py",
        f"--csv={RESULTS / 'locust'}",
        f"--html={RESULTS / 'locust.html'}",
        "--headless",
        "--only-summary",
        "--master",
    ]


def wait_for_collection() -> None:
    """Stays, and the results with it, until they were fetched."""
    deadline = time.monotonic() + COLLECT_SECONDS
    while not COLLECTED.exists() and time.monotonic() < deadline:
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
