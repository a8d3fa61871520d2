"""How a pod ends: its last log lines and its exit code, watched from before the end, for both are gone with the pod."""

import subprocess
import tempfile
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e import cluster
from tests.e2e.experiments import lifecycle
from tests.polling import poll_until

EXIT_CODE = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}{'\\n'}"
# The kubelet kills after 45 s; the API server needs a moment more.
END_SECONDS = 60


class Ending:
    """Watches one pod until it is gone."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self._log, self._status = Path(self._folder.name, "log"), Path(self._folder.name, "status")
        self._processes = [
            self._watch(self._log, "logs", self.name, "--follow"),
            self._watch(self._status, "get", "pod", self.name, "--watch", "--output", EXIT_CODE),
        ]
        poll_until(
            lambda: self._log.read_text() and self._status.read_text(), f"the log and status of {self.name}", seconds=10
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.terminate()
            process.wait()
        self._folder.cleanup()

    def wait(self) -> None:
        """Wait until the pod is gone."""
        cluster.kubectl("wait", "--for=delete", f"pod/{self.name}", f"--timeout={END_SECONDS}s")
        poll_until(lambda: self._processes[0].poll() is not None, f"the end of the log of {self.name}", seconds=10)

    @property
    def events(self) -> list[str]:
        """The names of the lifecycle events that the pod logged, in order."""
        return [event["message"] for event in self.records]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lifecycle events with everything that was logged of them."""
        return lifecycle(self._log.read_text())

    def seconds_between(self, first: str, second: str) -> float:
        """Seconds from one lifecycle event to another."""
        at = {record["message"]: datetime.fromisoformat(record["timestamp"]) for record in self.records}
        return (at[second] - at[first]).total_seconds()

    @property
    def exit_code(self) -> int:
        """What the container's process returned to the kubelet."""
        codes = self._status.read_text().split()
        assert codes, f"the kubelet reported no exit code of {self.name}"
        return int(codes[-1])

    def _watch(self, target: Path, *arguments: str) -> subprocess.Popen[bytes]:
        with target.open("w") as output:
            return subprocess.Popen(cluster.command(*arguments), stdout=output, env=cluster.environment())
