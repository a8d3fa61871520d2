"""The likely cause of each lost request: from its record, its pod, and what happened to that pod."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from drydock.analysis.chosen_pods import ChosenPods
from drydock.analysis.endings import QUICK_SECONDS, Ending, endings
from drydock.analysis.evidence import Evidence
from drydock.analysis.idle_pauses import pauses
from drydock.analysis.pod_terminations import PodTermination
from drydock.manifests.shutdown_budget import PROPAGATION_SECONDS
from drydock.requests.outcome import CROSSED, Outcome
from drydock.requests.records import Record
from drydock.timeline.history import at, unix

# The longest time for which connections still arrive at a closed listener: twice the measured propagation, and the
# second to which Kubernetes rounds its times.
LAST_CONNECTION_SECONDS = 2 * PROPAGATION_SECONDS + 1
# The server's event loop closes the listener in one of its next turns: uvicorn looks for SIGTERM every 0.1 s.
CLOSING_SECONDS = 0.15
# A connection that was idle for longer than this can have met the server's keep-alive timeout: uvicorn's is 5 s, and no
# server known to us has less than 1 s.
SHORTEST_TIMEOUT_SECONDS = 0.9


class Cause(StrEnum):
    """The likely cause of a loss."""

    REFUSED_AFTER_REMOVAL = "refused-after-endpoint-removal"
    CLOSED_LISTENER = "reset-by-closed-listener"
    NOT_ACCEPTED = "listener-without-worker"
    RESET_ON_KEPT_ALIVE = "reset-on-kept-alive"
    KEEP_ALIVE_TIMEOUT = "keep-alive-timeout"
    CUT_IN_FLIGHT = "cut-in-flight"
    PROCESS_DEAD = "process-dead"
    NOT_LISTENING_YET = "not-listening-yet"
    NO_ENDPOINT = "no-ready-pod"
    NEVER_READY = "503-from-pod-that-was-never-ready"
    NO_DATABASE = "503-without-database"
    SHED = "503-shed"
    UNAVAILABLE = "503"
    SERVER_ERROR = "5xx"
    CLIENT_ERROR = "4xx"
    NOT_ANSWERED = "not-answered"
    UNKNOWN = "unknown"


SENTENCES: dict[Cause, str] = {
    Cause.REFUSED_AFTER_REMOVAL: "refused by a closed listener before every node had removed the endpoint",
    Cause.CLOSED_LISTENER: "accepted by the kernel, but the listener closed before the service read the request",
    Cause.NOT_ACCEPTED: "accepted by the kernel for a listener from which no process accepted any more",
    Cause.RESET_ON_KEPT_ALIVE: "sent on a kept-alive connection while the pod closed it",
    Cause.KEEP_ALIVE_TIMEOUT: "sent on an idle connection while the server's keep-alive timeout closed it",
    Cause.CUT_IN_FLIGHT: "cut in flight: the process exited, or answered 503, before the request was done",
    Cause.PROCESS_DEAD: "sent to a dead process before every node had removed the endpoint",
    Cause.NOT_LISTENING_YET: "sent to a new process before it listened",
    Cause.NO_ENDPOINT: "no pod was ready: the Service refused the connection, or did not answer",
    Cause.NEVER_READY: "answered 503 by a pod that was never ready",
    Cause.NO_DATABASE: "answered 503: the pod could not reach its database",
    Cause.SHED: "answered 503: the pool had no free connection to the database in time",
    Cause.UNAVAILABLE: "answered 503 by a pod that was running and not shutting down",
    Cause.SERVER_ERROR: "answered with a server error",
    Cause.CLIENT_ERROR: "answered with a client error",
    Cause.NOT_ANSWERED: "not answered in time",
    Cause.UNKNOWN: "the evidence shows no cause",
}


@dataclass(frozen=True)
class Loss:
    """A lost request, its likely cause, and whether the objectives allow it. `pod` is the pod that it was sent to."""

    record: Record
    cause: Cause
    allowed: bool
    pod: str = ""


def losses(
    evidence: Evidence,
    terminations: Sequence[PodTermination],
    chosen: ChosenPods,
    allows: Callable[[Record], bool] = lambda _: False,
) -> list[Loss]:
    """The lost requests with their causes, by due time. Only losses since the action can be allowed."""
    diagnosis = Diagnosis(evidence, terminations, chosen)
    return [
        Loss(
            record,
            diagnosis.cause_of(record),
            allows(record) and record.ended >= evidence.action_started,
            chosen.of(record),
        )
        for record in evidence.records
        if record.lost
    ]


class Diagnosis:
    """Decides the cause of each loss. Where the pod was not observed, the pods that were ending are compared."""

    def __init__(self, evidence: Evidence, terminations: Sequence[PodTermination], chosen: ChosenPods) -> None:
        self._evidence = evidence
        self._chosen = chosen
        self._endings = endings(evidence, terminations, chosen)
        self._idle = {(it.connection, it.position): seconds for it, seconds in pauses(evidence.records)}
        self._starts = dict(self._first_seen())
        self._first_answers = self._first_answers_of_new_pods()

    def cause_of(self, record: Record) -> Cause:
        """The likely cause of a loss; UNKNOWN if the evidence fits none, or several."""
        if record.outcome is Outcome.CLIENT_ERROR:
            return Cause.CLIENT_ERROR
        if record.outcome is Outcome.SERVER_ERROR:
            return self._answered(record)
        if self._met_no_endpoint(record):
            return Cause.NO_ENDPOINT
        if pod := self._chosen.of(record):
            return self._sent_to(record, pod) or self._without_ending(record)
        found = {cause for pod in self._candidates(record) if (cause := self._sent_to(record, pod))}
        if len(found) == 1:
            return found.pop()
        return Cause.UNKNOWN if found else self._without_ending(record)

    def _answered(self, record: Record) -> Cause:
        """The cause of a 5xx answer."""
        if record.status != 503:
            return Cause.SERVER_ERROR
        pod = self._chosen.of(record)
        deleted = (it for it in self._endings.get(pod, []) if not it.termination.restarted)
        if any(record.ended >= ending.closed for ending in deleted):
            return Cause.CUT_IN_FLIGHT  # after the drain, the service gives up its requests in flight
        lines = [it for it in self._evidence.history.lifecycle(pod) if unix(it.state["time"]) <= record.ended + 1]
        events = {it.state["event"] for it in lines}
        if "startup" in events and "ready" not in events:
            return Cause.NEVER_READY
        unready = [it for it in lines if it.state["event"] in ("ready", "unready")][-1:]
        if unready and "database" in (unready[0].state.get("failed") or {}):
            return Cause.NO_DATABASE
        text = self._evidence.workload.no_connection
        return Cause.SHED if text and text in record.reason else Cause.UNAVAILABLE

    def _met_no_endpoint(self, record: Record) -> bool:
        """Whether a new connection was routed to no pod: none was ready then, or 1 s later, as the timeline may lag."""
        if record.position or self._chosen.of(record):
            return False
        return any(at(self._evidence.endpoints, record.started + shift) == frozenset() for shift in (0.0, 1.0))

    def _candidates(self, record: Record) -> Iterator[str]:
        """The pods that may have received a request whose pod was not observed."""
        for pod, ended in self._endings.items():
            if any(it.termination.began <= record.ended and record.started <= _last(it) for it in ended):
                yield pod
        if record.position == 0:
            ready = at(self._evidence.endpoints, record.started) or frozenset()
            yield from (pod for pod in ready & self._starts.keys() if pod not in self._endings)

    def _sent_to(self, record: Record, pod: str) -> Cause | None:
        """The cause of a broken connection to a pod; None if nothing that happened to the pod explains it."""
        for ending in self._endings.get(pod, []):
            if cause := self._ended(record, ending):
                return cause
        begun, answered = self._starts.get(pod), self._first_answers.get(pod, inf)
        if begun is not None and record.position == 0 and begun <= record.started < answered:
            return Cause.NOT_LISTENING_YET if record.outcome is not Outcome.TIMED_OUT else None
        return None

    def _ended(self, record: Record, ending: Ending) -> Cause | None:
        """The cause if the process ended around the request."""
        if record.started >= min(ending.back, _last(ending)) or record.ended < ending.closed:
            return None
        if record.started >= ending.died:
            return self._after_death(record, ending)
        if ending.abrupt or record.outcome is Outcome.TRUNCATED:
            return Cause.CUT_IN_FLIGHT
        return self._while_closing(record, ending)

    def _after_death(self, record: Record, ending: Ending) -> Cause:
        if record.started >= ending.started:
            return Cause.NOT_LISTENING_YET
        return Cause.PROCESS_DEAD if ending.abrupt else Cause.REFUSED_AFTER_REMOVAL

    def _while_closing(self, record: Record, ending: Ending) -> Cause:
        """The cause if the process closed its listener and went on with its requests in flight."""
        waited = record.ended - record.started
        if record.started < ending.closed + CLOSING_SECONDS and waited > CLOSING_SECONDS:
            return Cause.CUT_IN_FLIGHT
        if record.position:
            return Cause.RESET_ON_KEPT_ALIVE
        if record.outcome is Outcome.REFUSED or self._chosen.refused(record):
            return Cause.REFUSED_AFTER_REMOVAL
        return Cause.NOT_ACCEPTED if waited > CLOSING_SECONDS else Cause.CLOSED_LISTENER

    def _without_ending(self, record: Record) -> Cause:
        """The cause where no process ended and none was new."""
        if record.outcome is Outcome.TIMED_OUT:
            return Cause.NOT_ANSWERED
        idle = self._idle.get((record.connection, record.position), 0.0)
        quick = record.ended - record.started < QUICK_SECONDS
        if record.outcome in CROSSED and quick and idle > SHORTEST_TIMEOUT_SECONDS:
            return Cause.KEEP_ALIVE_TIMEOUT
        return Cause.UNKNOWN

    def _first_seen(self) -> Iterator[tuple[str, float]]:
        """The pods that were created during the run, and when."""
        first: dict[str, float] = {}
        for seen in self._evidence.history.pods(self._evidence.workload.deployment):
            first.setdefault(seen.name, seen.arrived)
        return ((pod, time) for pod, time in first.items() if time > self._evidence.started)

    def _first_answers_of_new_pods(self) -> dict[str, float]:
        answers: dict[str, float] = {}
        for record in self._evidence.records:
            if record.whole and (pod := self._chosen.of(record)) in self._starts:
                answers[pod] = min(record.ended, answers.get(pod, inf))
        return answers


def _last(ending: Ending) -> float:
    """The latest time at which a request can still have been sent to an ended process."""
    marks = ending.termination.marks
    if ending.termination.restarted:
        return ending.back
    return marks.get("gone", marks.get("ended", ending.died)) + LAST_CONNECTION_SECONDS
