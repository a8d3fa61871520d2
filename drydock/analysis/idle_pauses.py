"""The pauses of the judge's lane `idle`, and how long those were that ended with a lost request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from drydock.judge.exchange import Lane
from drydock.requests.outcome import CROSSED
from drydock.requests.records import Record


@dataclass(frozen=True)
class IdlePauses:
    """`sent` requests followed a pause of their connection. `lost` are the pauses before those that broke; seconds."""

    sent: int
    lost: Sequence[float]

    @classmethod
    def among(cls, records: Sequence[Record]) -> Self:
        """The pauses of a run."""
        found = list(pauses([record for record in records if record.lane == Lane.IDLE]))
        return cls(len(found), sorted(pause for record, pause in found if record.outcome in CROSSED))

    @property
    def sentence(self) -> str:
        """The lost requests for a reader."""
        shortest, longest = (f"{pause:.3f}" for pause in (self.lost[0], self.lost[-1]))
        after = shortest if shortest == longest else f"{shortest} to {longest}"
        return (
            f"{len(self.lost):,} of {self.sent:,} requests of the lane idle were lost after a pause of {after} s. "
            "If the server closes idle connections after that time, a reverse proxy loses requests too: keep the "
            "server's keep-alive timeout above the idle timeout of the proxy."
        )


def pauses(records: Sequence[Record]) -> Iterator[tuple[Record, float]]:
    """Each request on a reused connection, with the seconds for which the connection was idle before."""
    placed = {(it.connection, it.position): it for it in records}
    for (connection, position), record in placed.items():
        if (before := placed.get((connection, position - 1))) is not None:
            yield record, record.started - before.ended
