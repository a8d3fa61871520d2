"""Records which pod kube-proxy chose for each connection to a Service, from the connection tracking of a node."""

import re
import subprocess
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

# One event: [time] ... sport=CLIENT dport=80 [UNREPLIED] src=POD ... (conntrack(8), option --output timestamp).
EVENT = re.compile(r"\[\s*(?P<time>[\d.]+)\s*\].*?\bsport=(?P<port>\d+)\b.*?\bsrc=(?P<address>\S+)")
# conntrack ends when our end of the standard input is closed, so also if we are killed.
SCRIPT = 'conntrack "$@" & cat > /dev/null; kill $!'
END_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Translation:
    """A connection from the client's `port`, opened at `time` in Unix seconds, went to the pod's `address`."""

    time: float
    port: int
    address: str


@dataclass
class ConnectionTracking:
    """Records the new connections to `address`, the ClusterIP of a Service, on a node until the end of the block.

    The program conntrack is part of kind's node images. Without it there are no translations.
    """

    node: str
    address: str
    _translations: list[Translation] = field(default_factory=list, init=False)
    _process: "subprocess.Popen[str] | None" = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        options = ["--event", "--event-mask", "NEW", "--proto", "tcp", "--orig-dst", self.address]
        self._process = subprocess.Popen(
            ["docker", "exec", "--interactive", self.node, "sh", "-c", SCRIPT, "sh", *options, "--output", "timestamp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._read, args=(self._process,), name="connections", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None or self._process.stdin is None or self._thread is None:
            return
        self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._thread.join(END_SECONDS)

    @property
    def translations(self) -> list[Translation]:
        """The connections so far."""
        return self._translations.copy()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            if (translation := parse(line)) is not None:
                self._translations.append(translation)


def parse(line: str) -> Translation | None:
    """The connection of an event; None for any other line."""
    found = EVENT.search(line)
    return Translation(float(found["time"]), int(found["port"]), found["address"]) if found else None
