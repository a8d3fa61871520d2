"""Pod terminations: the marks of each, from the deletion of the pod to the exit of its process."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from drydock.analysis.evidence import Evidence
from drydock.timeline.history import unix
from drydock.timeline.observation import Observation

# The marks of a termination and their titles, in the expected order.
MARKS = {
    "deleted": "deletion, preStop begins",
    "endpoint_out": "endpoint removed",
    "sigterm": "preStop ends, SIGTERM, readiness 503",
    "last_in": "last request received",
    "last_out": "last answer sent",
    "drained": "drained",
    "pool_closed": "pool closed",
    "telemetry_flushed": "telemetry flushed",
    "stopped": "stopped",
    "ended": "process exited",
    "gone": "pod removed",
}
# The service's lifecycle lines (docs/reference/service.md) and the marks that they set.
LINES = {"draining": "sigterm", "drained": "drained", "pool_closed": "pool_closed"}
LINES |= {"telemetry_flushed": "telemetry_flushed", "stopped": "stopped"}
KILLED = 137


@dataclass(frozen=True)
class PodTermination:
    """The termination of a deleted pod or, if `restarted`, of a container that restarted in its pod.

    `marks` are Unix seconds by name; `grace` and `prestop` are in seconds. Unobserved marks are missing, other
    unobserved values None. `exact` is whether the exit is known to a fraction of a second; Kubernetes truncates it.
    """

    pod: str
    marks: dict[str, float]
    grace: float | None = None
    exit_code: int | None = None
    reason: str = ""
    spans_lost: int | None = None
    restarted: bool = False
    prestop: float | None = None
    exact: bool = False

    @property
    def began(self) -> float:
        """The start. Without a deletion it is estimated from the exit, which Kubernetes reports to the second."""
        return self.marks.get("deleted") or min(self.marks["ended"] - 1, self.marks.get("sigterm", self.marks["ended"]))

    @property
    def seconds(self) -> float | None:
        """Seconds from the deletion until the process exited, or the pod was removed."""
        ended = self.marks.get("ended") or self.marks.get("gone")
        return None if ended is None else ended - self.began

    @property
    def drained(self) -> float:
        """The end of the drain; without that mark SIGTERM, and without both the start."""
        return self.marks.get("drained") or self.marks.get("sigterm") or self.began

    @property
    def killed(self) -> bool:
        return self.exit_code == KILLED


@dataclass
class _ObservedPod:
    """The observations of one pod."""

    name: str
    seen: list[Observation] = field(default_factory=list)


def terminations(evidence: Evidence) -> list[PodTermination]:
    """The terminations since the action, by their start."""
    pods: dict[str, _ObservedPod] = {}
    for seen in evidence.history.pods(evidence.workload.deployment):
        pods.setdefault(seen.uid, _ObservedPod(seen.name)).seen.append(seen)
    found = [it for pod in pods.values() for it in (*_deleted(evidence, pod), *_restarted(evidence, pod))]
    return sorted(found, key=lambda termination: termination.began)


def _deleted(evidence: Evidence, pod: _ObservedPod) -> Iterator[PodTermination]:
    ending = next((it for it in pod.seen if it.state["deletion"]), None)
    if ending is None or ending.arrived < evidence.action_started - 1:
        return
    marks = {"deleted": ending.arrived, **_traffic(evidence, pod.name), **_sigterm(pod)}
    marks |= _lines(evidence, pod.name, ending.arrived)
    if out := _endpoint_out(evidence, pod.name):
        marks["endpoint_out"] = out
    if removed := next((it.arrived for it in pod.seen if it.change == "removed"), None):
        marks["gone"] = removed
    end = next((it.state["ended"] for it in reversed(pod.seen) if it.state["ended"]), None)
    yield PodTermination(
        pod.name,
        _with_end(marks, end),
        ending.state["grace"],
        end and end["exit_code"],
        (end or {}).get("reason", ""),
        _spans_lost(evidence, pod.name),
        prestop=ending.state.get("prestop"),
        exact=_is_exact(end),
    )


def _restarted(evidence: Evidence, pod: _ObservedPod) -> Iterator[PodTermination]:
    since = evidence.action_started
    for before, after in zip(pod.seen, pod.seen[1:], strict=False):
        if after.state["restarts"] > before.state["restarts"] and after.arrived >= evidence.action_started:
            end = after.state["last_ended"] or before.state["ended"] or {}
            lines = _lines(evidence, pod.name, since, after.arrived)
            marks = _with_end({**lines, "gone": after.arrived}, end)
            since = after.arrived
            marks.setdefault("ended", after.arrived)
            yield PodTermination(
                pod.name,
                marks,
                exit_code=end.get("exit_code"),
                reason=end.get("reason", ""),
                restarted=True,
                exact=_is_exact(end),
            )


def _with_end(marks: dict[str, float], end: dict[str, object] | None) -> dict[str, float]:
    """The marks with the exit of the process. Kubernetes truncates its times to the second."""
    if end and end.get("finished"):
        finished = unix(str(end["finished"]))
        marks["ended"] = max(finished, marks.get("stopped", finished))
    return marks


def _is_exact(end: dict[str, object] | None) -> bool:
    """Whether the time of an exit has a fraction of a second."""
    return end is not None and "." in str(end.get("finished"))


def _sigterm(pod: _ObservedPod) -> dict[str, float]:
    """The time of SIGTERM, which only the local platform observes."""
    times = [it.state["sigterm"] for it in pod.seen if it.state.get("sigterm")]
    return {"sigterm": unix(times[-1])} if times else {}


def _traffic(evidence: Evidence, pod: str) -> dict[str, float]:
    answered = [record for record in evidence.records if record.pod == pod]
    if not answered:
        return {}
    return {
        "last_in": max(record.started for record in answered),
        "last_out": max(record.ended for record in answered),
    }


def _lines(evidence: Evidence, pod: str, since: float, until: float = float("inf")) -> dict[str, float]:
    lines = ((LINES.get(it.state["event"]), unix(it.state["time"])) for it in evidence.history.lifecycle(pod))
    return {mark: time for mark, time in lines if mark and since - 1 <= time <= until}


def _spans_lost(evidence: Evidence, pod: str) -> int | None:
    lines = [it.state for it in evidence.history.lifecycle(pod) if it.state["event"] == "telemetry_flushed"]
    return int(lines[-1]["lost"]) if lines and "lost" in lines[-1] else None


def _endpoint_out(evidence: Evidence, pod: str) -> float | None:
    """When the Service removed the endpoint of the pod for the last time."""
    out, inside = None, False
    for time, pods in evidence.endpoints:
        if pod in pods:
            inside, out = True, None
        elif inside:
            inside, out = False, time
    return out
