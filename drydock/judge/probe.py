"""Limits the probes: after a failure on a reused connection, one on a fresh connection tests the service."""

from drydock.judge.exchange import Exchange, Lane
from drydock.requests.outcome import WHOLE

# With one probe at a time and at most ten a second, an outage does not double the load.
PAUSE_SECONDS = 0.1


class ProbeLimit:
    """Decides which failures are probed."""

    def __init__(self) -> None:
        self._under_way = False
        self._earliest = 0.0

    def calls_for_probe(self, exchange: Exchange, now: float) -> bool:
        """Whether to send a probe after this request, which has just ended. The caller sends it at once."""
        if exchange.lane is Lane.PROBE:
            self._under_way = False
        failed_on_reused = exchange.position > 0 and exchange.outcome not in WHOLE
        if not failed_on_reused or self._under_way or now < self._earliest:
            return False
        self._under_way, self._earliest = True, now + PAUSE_SECONDS
        return True
