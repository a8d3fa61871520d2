"""`python -m loadtest SCENARIO …`: run the master of one load run and keep its results until they are fetched.

Options after the scenario go to locust. The last line on stdout is `{"ended": <locust's exit code>}`. Then the process
waits up to COLLECT_SECONDS for the file `collected` in the results. SIGTERM and SIGINT end the load early: requests in
flight are completed and recorded.
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
    """Run locust to its end and return its exit code."""
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
    """Locust's arguments for one run without its web page."""
    return [
        f"--locustfile={FOLDER / 'scenarios' / scenario}.py",
        f"--csv={RESULTS / 'locust'}",
        f"--html={RESULTS / 'locust.html'}",
        "--headless",
        "--only-summary",
        "--master",
    ]


def wait_for_collection() -> None:
    """Keep the container and its results until they are fetched, for at most COLLECT_SECONDS."""
    deadline = time.monotonic() + COLLECT_SECONDS
    while not COLLECTED.exists() and time.monotonic() < deadline:
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
