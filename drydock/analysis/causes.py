"""The likely cause of each lost request, told from its record, the departures and the timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from drydock.analysis.evidence import Evidence
from drydock.analysis.pod_terminations import PodTermination
from drydock.manifests.shutdown_budget import PROPAGATION_SECONDS
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.timeline.history import at, unix

# How long after the end of a listener connections may still come: twice what was measured, and the second to which
# Kubernetes rounds its times.
LAST_CONNECTION_SECONDS = 2 * PROPAGATION_SECONDS + 1
# A request that was under way for longer than this was in the service's hands; a shorter one met a closing connection.
IN_FLIGHT_SECONDS = 0.1
# How long a new pod may be sent requests that nobody there listens to yet.
START_SECONDS = 60.0


class Cause(StrEnum):
    """Why a request was lost."""

    REFUSED_AFTER_REMOVAL = "refused-after-endpoint-removal"
    RESET_ON_KEPT_ALIVE = "reset-on-kept-alive"
    CUT_IN_FLIGHT = "cut-in-flight"
    CLOSED_LISTENER = "reset-by-closed-listener"
    PROCESS_DEAD = "process-dead"
    NOT_LISTENING_YET = "not-listening-yet"
    NO_ENDPOINT = "no-ready-pod"
    NEVER_READY = "503-from-pod-that-was-never-ready"
    NO_DATABASE = "503-without-database"
    SHED = "503-shed"
    SERVER_ERROR = "5xx"
    CLIENT_ERROR = "4xx"
    NOT_ANSWERED = "not-answered"
    UNKNOWN = "unknown"


SENTENCES: dict[Cause, str] = {
    Cause.REFUSED_AFTER_REMOVAL: "refused by a pod that no longer listened, before its removal was known everywhere",
    Cause.RESET_ON_KEPT_ALIVE: "sent on a kept-alive connection that the pod closed at that moment",
    Cause.CUT_IN_FLIGHT: "cut in flight: the process ended, or gave it up with a 503, before it was done",
    Cause.CLOSED_LISTENER: "accepted by the kernel for a listener that closed before the service read it",
    Cause.PROCESS_DEAD: "sent to a process that was dead, until that was known everywhere",
    Cause.NOT_LISTENING_YET: "sent to a new pod that did not listen yet",
    Cause.NO_ENDPOINT: "no pod was ready: the Service refused it, or left it without an answer",
    Cause.NEVER_READY: "answered 503 by a pod that had never lines that it was ready",
    Cause.NO_DATABASE: "answered 503: the pod could not reach its database",
    Cause.SHED: "answered 503: the service had no free connection to its database in time",
    Cause.SERVER_ERROR: "answered with a server error",
    Cause.CLIENT_ERROR: "answered with a client error",
    Cause.NOT_ANSWERED: "not answered in time",
    Cause.UNKNOWN: "for no reason that the timeline shows",
}


@dataclass(frozen=True)
class Loss:
    """A request that was not answered well, its likely cause, and whether the promise allows it."""

    record: Record
    cause: Cause
    allowed: bool


def losses(evidence: Evidence, terminations: Sequence[PodTermination], allowed: frozenset[Outcome]) -> list[Loss]:
    """Each lost request with its cause, as they were due. Allowed are only those since the action."""
    return [
        Loss(
            record,
            cause_of(record, evidence, terminations),
            record.outcome in allowed and record.ended >= evidence.action_started,
        )
        for record in evidence.records
        if record.lost
    ]


def cause_of(record: Record, evidence: Evidence, terminations: Sequence[PodTermination]) -> Cause:
    """The likely cause of one loss."""
    match record.outcome:
        case Outcome.REFUSED:
            return _refused(record, evidence, terminations)
        case Outcome.RESET | Outcome.CLOSED_EARLY | Outcome.TRUNCATED:
            return _broken(record, terminations)
        case Outcome.TIMED_OUT:
            return Cause.NO_ENDPOINT if _met_no_endpoint(record, evidence) else Cause.NOT_ANSWERED
        case Outcome.SERVER_ERROR:
            return _server_error(record, evidence, terminations)
        case Outcome.CLIENT_ERROR:
            return Cause.CLIENT_ERROR
    return Cause.UNKNOWN


def _refused(record: Record, evidence: Evidence, terminations: Sequence[PodTermination]) -> Cause:
    if _met_no_endpoint(record, evidence):
        return Cause.NO_ENDPOINT
    for termination in terminations:
        if termination.restarted and _met(record, termination):
            return Cause.PROCESS_DEAD
    for termination in terminations:
        last = (
            termination.marks.get("gone", termination.marks.get("ended", termination.began)) + LAST_CONNECTION_SECONDS
        )
        if not termination.restarted and termination.began <= record.started <= last:
            return Cause.REFUSED_AFTER_REMOVAL
    return Cause.NOT_LISTENING_YET if _is_new(record, evidence) else Cause.UNKNOWN


def _met_no_endpoint(record: Record, evidence: Evidence) -> bool:
    """Whether no pod was ready when it asked for a connection. The news here and there are a moment apart."""
    return any(at(evidence.endpoints, record.started + shift) == frozenset() for shift in (0.0, 1.0))


def _broken(record: Record, terminations: Sequence[PodTermination]) -> Cause:
    if record.ended - record.started > IN_FLIGHT_SECONDS or record.lane == "long":
        return Cause.CUT_IN_FLIGHT
    if any(termination.restarted and _met(record, termination) for termination in terminations):
        return Cause.CUT_IN_FLIGHT
    return Cause.RESET_ON_KEPT_ALIVE if record.position else Cause.CLOSED_LISTENER


def _server_error(record: Record, evidence: Evidence, terminations: Sequence[PodTermination]) -> Cause:
    if record.status != 503:
        return Cause.SERVER_ERROR
    if any(it.pod == record.pod and not it.restarted and record.ended >= it.began for it in terminations):
        return Cause.CUT_IN_FLIGHT  # the service's own last word for what it could not finish
    lines = [it for it in evidence.history.lifecycle(record.pod) if unix(it.state["time"]) <= record.ended + 1]
    events = {it.state["event"] for it in lines}
    if "startup" in events and "ready" not in events:
        return Cause.NEVER_READY
    unready = [it for it in lines if it.state["event"] in ("ready", "unready")][-1:]
    if unready and "database" in (unready[0].state.get("failed") or {}):
        return Cause.NO_DATABASE
    return Cause.SHED


def _met(record: Record, termination: PodTermination) -> bool:
    """Whether it was under way while a process ended, or until it could be started again."""
    return termination.began <= record.ended and record.started <= termination.marks["ended"] + START_SECONDS


def _is_new(record: Record, evidence: Evidence) -> bool:
    """Whether a pod that the Service knew then was first seen a short while before."""
    ready = at(evidence.endpoints, record.started) or frozenset()
    first: dict[str, float] = {}
    for seen in evidence.history.pods(evidence.workload.deployment):
        first.setdefault(seen.name, seen.arrived)
    added = (first[pod] for pod in ready if first.get(pod, 0.0) > evidence.started)
    return any(time <= record.started <= time + START_SECONDS for time in added)
