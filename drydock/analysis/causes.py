"""The likely cause of each lost request, from its record, the pod terminations and the timeline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from drydock.analysis.evidence import Evidence
from drydock.analysis.pod_terminations import PodTermination
from drydock.manifests.shutdown_budget import PROPAGATION_SECONDS
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.timeline.history import at, unix

# The longest time for which connections still arrive at a closed listener: twice the measured propagation, and the
# second to which Kubernetes rounds its times.
LAST_CONNECTION_SECONDS = 2 * PROPAGATION_SECONDS + 1
# A request that took longer than this was in flight in the service; a shorter one met a closing connection.
IN_FLIGHT_SECONDS = 0.1
# The longest time for which a new pod may receive requests before it listens.
START_SECONDS = 60.0


class Cause(StrEnum):
    """The likely cause of a loss."""

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
    Cause.REFUSED_AFTER_REMOVAL: "refused by a closed listener before every node had removed the endpoint",
    Cause.RESET_ON_KEPT_ALIVE: "sent on a kept-alive connection while the pod closed it",
    Cause.CUT_IN_FLIGHT: "cut in flight: the process exited, or answered 503, before the request was done",
    Cause.CLOSED_LISTENER: "accepted by the kernel, but the listener closed before the service read the request",
    Cause.PROCESS_DEAD: "sent to a dead process before every node had removed the endpoint",
    Cause.NOT_LISTENING_YET: "sent to a new pod before it listened",
    Cause.NO_ENDPOINT: "no pod was ready: the Service refused the connection, or did not answer",
    Cause.NEVER_READY: "answered 503 by a pod that was never ready",
    Cause.NO_DATABASE: "answered 503: the pod could not reach its database",
    Cause.SHED: "answered 503: the pool had no free connection to the database in time",
    Cause.SERVER_ERROR: "answered with a server error",
    Cause.CLIENT_ERROR: "answered with a client error",
    Cause.NOT_ANSWERED: "not answered in time",
    Cause.UNKNOWN: "the timeline shows no cause",
}


@dataclass(frozen=True)
class Loss:
    """A lost request, its likely cause, and whether the objectives allow it."""

    record: Record
    cause: Cause
    allowed: bool


def losses(
    evidence: Evidence, terminations: Sequence[PodTermination], allows: Callable[[Record], bool] = lambda _: False
) -> list[Loss]:
    """The lost requests with their causes, by due time. Only losses since the action can be allowed."""
    return [
        Loss(
            record,
            cause_of(record, evidence, terminations),
            allows(record) and record.ended >= evidence.action_started,
        )
        for record in evidence.records
        if record.lost
    ]


def cause_of(record: Record, evidence: Evidence, terminations: Sequence[PodTermination]) -> Cause:
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
    """Whether no pod was ready when the request was sent, or 1 s later: the timeline may lag behind."""
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
    if any(it.pod == record.pod and not it.restarted and record.ended >= it.drained for it in terminations):
        return Cause.CUT_IN_FLIGHT  # after the drain, the service gives up its requests in flight
    lines = [it for it in evidence.history.lifecycle(record.pod) if unix(it.state["time"]) <= record.ended + 1]
    events = {it.state["event"] for it in lines}
    if "startup" in events and "ready" not in events:
        return Cause.NEVER_READY
    unready = [it for it in lines if it.state["event"] in ("ready", "unready")][-1:]
    if unready and "database" in (unready[0].state.get("failed") or {}):
        return Cause.NO_DATABASE
    return Cause.SHED


def _met(record: Record, termination: PodTermination) -> bool:
    """Whether the request was in flight between the exit of a process and its restart."""
    return termination.began <= record.ended and record.started <= termination.marks["ended"] + START_SECONDS


def _is_new(record: Record, evidence: Evidence) -> bool:
    """Whether the Service had an endpoint of a pod that had just been created."""
    ready = at(evidence.endpoints, record.started) or frozenset()
    first: dict[str, float] = {}
    for seen in evidence.history.pods(evidence.workload.deployment):
        first.setdefault(seen.name, seen.arrived)
    added = (first[pod] for pod in ready if first.get(pod, 0.0) > evidence.started)
    return any(time <= record.started <= time + START_SECONDS for time in added)
