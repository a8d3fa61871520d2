"""The distribution of the load over the pods, at the maximum of ready pods."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from drydock.analysis.scaling.scaling_evidence import ScalingEvidence
from drydock.timeline.history import at

# A connection lives up to 4 s (loadtest/connection.py). After twice that time, every user has a new connection.
SETTLE_SECONDS = 8.0
# A shorter interval has too few connections for a distribution.
SHORTEST_SECONDS = 10.0


@dataclass(frozen=True)
class Spread:
    """The requests of each pod between `begin` and `end` (Unix seconds), an interval with one set of ready pods."""

    begin: float
    end: float
    requests: Mapping[str, int]

    @property
    def shares(self) -> dict[str, float]:
        """The answers of each pod as a multiple of its fair share, which is 1.0."""
        fair = sum(self.requests.values()) / len(self.requests)
        return {pod: count / fair if fair else 0.0 for pod, count in self.requests.items()}


def at_the_top(evidence: ScalingEvidence) -> Spread | None:
    """The spread over the last interval under load with one set of ready pods; None if it is too short."""
    pods = at(evidence.endpoints, evidence.off)
    since = max((time for time, _ in evidence.endpoints if time <= evidence.off), default=evidence.off)
    begin, end = max(since, evidence.step) + SETTLE_SECONDS, evidence.off
    if not pods or end - begin < SHORTEST_SECONDS:
        return None
    answered = Counter(record.pod for record in evidence.records if begin <= record.started and record.ended <= end)
    return Spread(begin, end, {pod: answered[pod] for pod in sorted(pods)})
