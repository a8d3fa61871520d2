"""Finds the losses that a machine without CPU explains: a slow answer is then no evidence against the service."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from drydock.analysis.causes import Cause, Loss
from drydock.requests.records import Record
from drydock.requests.statistics import percentile

# A slow machine can cause these: a request waits for a CPU until it is given up.
EXPLAINABLE = frozenset({Cause.SHED, Cause.NOT_ANSWERED})
# The machine is out of CPU while 5 % of the judge's requests start later than this. Measured on two cores: up to 37 ms
# in nine of ten windows of two runs without a loss, 68 ms and more around each shed request of four other runs. The
# limit was chosen from these six runs, and not yet tried on others.
STARVED_SECONDS = 0.05
QUANTILE = 95
# A request waits in the queue that built up before it was sent.
BEFORE_SECONDS = 1.0


class Starvation:
    """The judge's start delays over the run: they show how long a program waited for a CPU on the node."""

    def __init__(self, records: Sequence[Record]) -> None:
        ordered = sorted(records, key=lambda record: record.intended)
        self._due = [record.intended for record in ordered]
        self._delays = [record.started - record.intended for record in ordered]

    def between(self, began: float, ended: float) -> bool:
        """Whether the machine was out of CPU between two times."""
        delays = self._delays[bisect_left(self._due, began) : bisect_right(self._due, ended)]
        late = percentile(sorted(delays), QUANTILE)
        return late is not None and late > STARVED_SECONDS

    def explains(self, loss: Loss) -> bool:
        """Whether the machine can have caused a loss."""
        if loss.cause not in EXPLAINABLE:
            return False
        return self.between(loss.record.started - BEFORE_SECONDS, loss.record.ended)
