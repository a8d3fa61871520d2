"""The pods that ended: what happened to each, second by second, from its deletion to its last word."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from drydock.analysis.evidence import Evidence
from drydock.timeline.history import unix
from drydock.timeline.observation import Observation

# The marks of a departure, in the order in which they should come, and what they are called.
MARKS = {
    "deleted": "deletion, preStop begins",
    "endpoint_out": "out of the Service",
    "sigterm": "preStop ends, SIGTERM, readiness 503",
    "last_in": "last request in",
    "last_out": "last answer out",
    "drained": "drained",
    "pool_closed": "pool closed",
    "telemetry_flushed": "telemetry flushed",
    "stopped": "stopped",
    "ended": "process ended",
    "gone": "gone",
}
# The service's lifecycle lines (docs/reference/service.md) and the marks that they are.
LINES = {"draining": "sigterm", "drained": "drained", "pool_closed": "pool_closed"}
LINES |= {"telemetry_flushed": "telemetry_flushed", "stopped": "stopped"}
KILLED = 137


@dataclass(frozen=True)
class PodTermination:
    """A pod that was deleted, or (`restarted`) whose container ended and was started again.

    `marks` are Unix seconds by name, `grace` in seconds; what was not seen is missing, or None.
    """

    pod: str
    marks: dict[str, float]
    grace: float | None = None
    exit_code: int | None = None
    reason: str = ""
    spans_lost: int | None = None
    restarted: bool = False

    @property
    def began(self) -> float:
        """When it began; Kubernetes' own times, which the end is told by, have a grain of 1 s."""
        return self.marks.get("deleted") or min(self.marks["ended"] - 1, self.marks.get("sigterm", self.marks["ended"]))

    @property
    def seconds(self) -> float | None:
        """From the deletion until the process had ended, or the pod was gone."""
        ended = self.marks.get("ended") or self.marks.get("gone")
        return None if ended is None else ended - self.began

    @property
    def killed(self) -> bool:
        """Whether it ended by SIGKILL."""
        return self.exit_code == KILLED


@dataclass
class _ObservedPod:
    """All that was seen of one pod."""

    name: str
    seen: list[Observation] = field(default_factory=list)


def terminations(evidence: Evidence) -> list[PodTermination]:
    """Every departure since the action began, in the order of their beginning."""
    pods: dict[str, _ObservedPod] = {}
    for seen in evidence.history.pods(evidence.workload.deployment):
        pods.setdefault(seen.uid, _ObservedPod(seen.name)).seen.append(seen)
    found = [it for pod in pods.values() for it in (*_deleted(evidence, pod), *_restarted(evidence, pod))]
    return sorted(found, key=lambda termination: termination.began)


def _deleted(evidence: Evidence, pod: _ObservedPod) -> Iterator[PodTermination]:
    ending = next((it for it in pod.seen if it.state["deletion"]), None)
    if ending is None or ending.arrived < evidence.action_started - 1:
        return
    marks = {"deleted": ending.arrived, **_traffic(evidence, pod.name), **_lines(evidence, pod.name, ending.arrived)}
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
    )


def _restarted(evidence: Evidence, pod: _ObservedPod) -> Iterator[PodTermination]:
    since = evidence.action_started
    for before, after in zip(pod.seen, pod.seen[1:], strict=False):
        if after.state["restarts"] > before.state["restarts"]:
            end = after.state["last_ended"] or before.state["ended"] or {}
            lines = _lines(evidence, pod.name, since, after.arrived)
            marks = _with_end({**lines, "gone": after.arrived}, end)
            since = after.arrived
            marks.setdefault("ended", after.arrived)
            yield PodTermination(
                pod.name, marks, exit_code=end.get("exit_code"), reason=end.get("reason", ""), restarted=True
            )


def _with_end(marks: dict[str, float], end: dict[str, object] | None) -> dict[str, float]:
    """The marks with the end of the process. Kubernetes' own times have a grain of 1 s: cut off, never rounded up."""
    if end and end.get("finished"):
        finished = unix(str(end["finished"]))
        marks["ended"] = max(finished, marks.get("stopped", finished))
    return marks


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
    """When the Service stopped to send it new connections."""
    out, inside = None, False
    for time, pods in evidence.endpoints:
        if pod in pods:
            inside, out = True, None
        elif inside:
            inside, out = False, time
    return out
