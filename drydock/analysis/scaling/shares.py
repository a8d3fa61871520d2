"""How evenly the load was spread while nothing changed at the top."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from drydock.analysis.scaling.scaling_evidence import ScalingEvidence
from drydock.timeline.history import at

# A user's connection lives up to 4 s (loadtest/connection.py): after twice that all have chosen anew among all pods.
SETTLE_SECONDS = 8.0
# Fewer connections than this time holds say nothing about evenness.
SHORTEST_SECONDS = 10.0


@dataclass(frozen=True)
class Spread:
    """The requests of each pod between `begin` and `end` (Unix seconds), while these pods and no other were ready."""

    begin: float
    end: float
    requests: Mapping[str, int]

    @property
    def shares(self) -> dict[str, float]:
        """What each pod answered as a multiple of its fair share: 1.0 is exactly that."""
        fair = sum(self.requests.values()) / len(self.requests)
        return {pod: count / fair if fair else 0.0 for pod, count in self.requests.items()}


def at_the_top(evidence: ScalingEvidence) -> Spread | None:
    """The spread over the last stretch under load with one set of ready pods; None where that was too short."""
    pods = at(evidence.endpoints, evidence.off)
    since = max((time for time, _ in evidence.endpoints if time <= evidence.off), default=evidence.off)
    begin, end = max(since, evidence.step) + SETTLE_SECONDS, evidence.off
    if not pods or end - begin < SHORTEST_SECONDS:
        return None
    answered = Counter(record.pod for record in evidence.records if begin <= record.started and record.ended <= end)
    return Spread(begin, end, {pod: answered[pod] for pod in sorted(pods)})
