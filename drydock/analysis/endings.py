"""The end of a process as its clients notice it: when it stopped accepting, and when it was gone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from drydock.analysis.chosen_pods import ChosenPods
from drydock.analysis.evidence import Evidence
from drydock.analysis.pod_terminations import PodTermination
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.timeline.history import unix

BROKEN = frozenset({Outcome.RESET, Outcome.CLOSED_EARLY, Outcome.TRUNCATED, Outcome.REFUSED})
# Kubernetes truncates the exit time of a container to the second.
RESOLUTION_SECONDS = 1.0
# A parent learns of the end of its child a little later, on a busy machine.
NOTICED_SECONDS = 0.3
# The kubelet sends SIGTERM this long after the end of preStop, measured on kind: 0.1 to 1.2 s.
LATEST_SIGTERM_SECONDS = 2.0
# A broken connection that took less met a closed or closing listener; a longer one may have been in flight.
QUICK_SECONDS = 0.1


@dataclass(frozen=True)
class Ending:
    """Unix seconds. `closed` is when the process stopped accepting connections; for a killed process it is `died`.

    `back` is the first answer of the next process in the same pod; infinite without one. `started` is the start of that
    process.
    """

    termination: PodTermination
    closed: float
    died: float
    started: float
    back: float

    @property
    def abrupt(self) -> bool:
        """Whether the process ended without closing its listener first."""
        return self.closed >= self.died


def endings(evidence: Evidence, terminations: Sequence[PodTermination], chosen: ChosenPods) -> dict[str, list[Ending]]:
    """The endings by pod, in the order of the terminations."""
    of_pod: dict[str, list[Record]] = {it.pod: [] for it in terminations}
    for record in evidence.records:
        if (pod := chosen.of(record)) in of_pod:
            of_pod[pod].append(record)
    found: dict[str, list[Ending]] = {}
    for it in terminations:
        found.setdefault(it.pod, []).append(_ending(evidence, it, of_pod[it.pod]))
    return found


def _ending(evidence: Evidence, termination: PodTermination, records: Sequence[Record]) -> Ending:
    closed = _closed(termination, records)
    killed = closed is None or termination.killed
    died = _killed(termination, records) if killed else _exited(termination)
    back = min((it.ended for it in records if it.whole and it.started > died), default=inf)
    starts = (it for it in _starts(evidence, termination.pod) if it > died - RESOLUTION_SECONDS)
    return Ending(termination, died if closed is None else min(closed, died), died, min(starts, default=inf), back)


def _closed(termination: PodTermination, records: Sequence[Record]) -> float | None:
    """The end of the drain, or SIGTERM, or an estimate; but not before the last new connection that was answered.

    None if nothing shows when the process received SIGTERM: it was killed.
    """
    marks = termination.marks
    closed = marks.get("drained") or marks.get("sigterm") or _estimated(termination, records)
    if closed is None:
        return None
    exited = _exited(termination)
    answered = [it.started for it in records if it.position == 0 and it.whole and it.started <= exited]
    return max([closed, *answered])


def _estimated(termination: PodTermination, records: Sequence[Record]) -> float | None:
    """The first failure after preStop, or the end of preStop; None without a deletion or with another kind of hook."""
    if termination.restarted or termination.prestop is None:
        return None
    expected = termination.began + termination.prestop
    failures = (
        it.started
        for it in records
        if it.outcome in BROKEN
        and it.ended - it.started < QUICK_SECONDS
        and -RESOLUTION_SECONDS <= it.started - expected <= LATEST_SIGTERM_SECONDS
    )
    return min(failures, default=expected)


def _killed(termination: PodTermination, records: Sequence[Record]) -> float:
    """The end of a killed process: its connections break at once, before its parent notices."""
    latest = _exited(termination)
    earliest = latest - RESOLUTION_SECONDS - NOTICED_SECONDS
    broke = (it.ended for it in records if it.outcome in BROKEN and earliest <= it.ended <= latest)
    return min(broke, default=latest)


def _exited(termination: PodTermination) -> float:
    """The latest time at which the process can have exited; infinite if its end was not observed."""
    ended = termination.marks.get("ended", termination.marks.get("gone", inf))
    return ended if termination.exact or "stopped" in termination.marks else ended + RESOLUTION_SECONDS


def _starts(evidence: Evidence, pod: str) -> Iterator[float]:
    """The starts of the containers of a pod."""
    states = (it.state for it in evidence.history.pods(evidence.workload.deployment) if it.name == pod)
    return (unix(state["started"]) for state in states if state.get("started"))
