"""The check of the timeline: an observation that was dropped may be the one that would have failed another check."""

from drydock.runs.verdict import Check
from drydock.timeline.history import History


def complete(history: History) -> Check:
    """Unknown if an observation was dropped."""
    observed = f"{history.dropped:,} observations dropped" if history.dropped else "complete"
    return Check("the timeline is complete", None if history.dropped else True, "no observation dropped", observed)
