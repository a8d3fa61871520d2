"""The marks of the scaling drill: events in seconds since the step, each with its source.

Kubernetes reports times to the second. A mark is therefore the arrival of the observation, with the API's time in its
note. An observation of a pod arrives up to a second after the event, so a mark is never early.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from drydock.analysis.scaling.scaling_evidence import ScalingEvidence
from drydock.requests.windows import windows
from drydock.timeline.history import Series, at, unix
from drydock.timeline.observation import Observation

WINDOW_SECONDS = 5.0
# Latency counts as recovered after this many windows in a row within the objective: one window may be chance.
WINDOWS_IN_A_ROW = 3

RATE_OVER = "rate_over_target"
CPU_OVER = "cpu_over_target"
VISIBLE = "metric_visible"
DESIRED = "desired_raised"
SCHEDULED = "pod_scheduled"
STARTED = "container_started"
READY = "first_new_pod_ready"
SERVED = "first_request_served"
ALL_READY = "all_wanted_pods_ready"
LATENCY_BACK = "p95_within_objective"
LOAD_OFF = "load_off"
SCALE_IN = "first_scale_in"
AT_MINIMUM = "back_at_minimum"


@dataclass(frozen=True)
class Mark:
    """An event. `seconds` since the step; None if it never happened, with the reason in `note`."""

    name: str
    title: str
    seconds: float | None
    source: str
    note: str = ""
    required: bool = True

    @property
    def missing(self) -> bool:
        """Whether the mark is required and has no time."""
        return self.required and self.seconds is None


def read(evidence: ScalingEvidence, p95_seconds: float) -> list[Mark]:
    """All marks, in their expected order; `p95_seconds` is the latency objective."""
    return [
        _rate_over(evidence),
        _cpu_over(evidence),
        _visible(evidence),
        _desired(evidence),
        *_first_pod(evidence),
        _served(evidence),
        _all_ready(evidence),
        _latency_back(evidence, p95_seconds),
        _load_off(evidence),
        *_scale_in(evidence),
    ]


def _rate_over(evidence: ScalingEvidence) -> Mark:
    title, source = "the request rate exceeds its target", "answers in a second, for each ready pod"
    target = evidence.triggers.rate_target
    highest = 0.0
    for window in windows(evidence.records, evidence.step, _last(evidence), 1):
        per_pod = window.rate / max(len(at(evidence.endpoints, window.end) or ()), 1)
        if per_pod > target:
            note = f"{per_pod:.0f}/s a pod, target {target:g}"
            return _mark(evidence, RATE_OVER, title, window.end, source, note)
        highest = max(highest, per_pod)
    return Mark(RATE_OVER, title, None, source, f"at most {highest:.0f}/s a pod, target {target:g}")


def _cpu_over(evidence: ScalingEvidence) -> Mark:
    title, source = "CPU exceeds its target", "HorizontalPodAutoscaler status"
    name = next((metric for metric in evidence.metrics if evidence.triggers.title(metric) == "cpu"), "cpu")
    target, series = evidence.metrics.get(name, 0.0), _under_load(evidence, evidence.reading(name))
    if found := next(((time, value) for time, value in series if value > target), None):
        return _mark(evidence, CPU_OVER, title, found[0], source, f"{found[1]:.0f} %", required=False)
    highest = max((value for _, value in series), default=0)
    return Mark(CPU_OVER, title, None, source, f"at most {highest:.0f} %, target {target:.0f} %", required=False)


def _visible(evidence: ScalingEvidence) -> Mark:
    title, source = "the autoscaler reads a value above its target", "HorizontalPodAutoscaler status"
    over = [
        (time, metric, value)
        for metric, target in evidence.metrics.items()
        for time, value in _under_load(evidence, evidence.reading(metric))
        if value > target
    ]
    if not over:
        return Mark(VISIBLE, title, None, source, "no metric exceeded its target under load")
    time, metric, value = min(over)
    note = f"{evidence.triggers.title(metric)} {value:.0f}, target {evidence.metrics[metric]:g}"
    return _mark(evidence, VISIBLE, title, time, source, note)


def _desired(evidence: ScalingEvidence) -> Mark:
    title, source = "the desired replicas rise", "HorizontalPodAutoscaler status"
    before = at(evidence.desired, evidence.step) or 0
    raised = [(time, count) for time, count in evidence.desired if evidence.step < time <= evidence.off]
    if found := next(((time, count) for time, count in raised if count > before), None):
        return _mark(evidence, DESIRED, title, found[0], source, f"{before} to {found[1]}")
    return Mark(DESIRED, title, None, source, f"the desired replicas stayed at {before}")


def _first_pod(evidence: ScalingEvidence) -> Iterator[Mark]:
    """The start of the first new pod: each mark belongs to the first pod that reached it."""
    steps: list[tuple[str, str, str, Callable[[Observation], bool], Callable[[Observation], str | None]]] = [
        (SCHEDULED, "a new pod is scheduled", "pod condition PodScheduled", _has_node, _state_field("scheduled")),
        (STARTED, "its container runs", "container state of the pod", _runs, _state_field("started")),
        (READY, "the first new pod is ready", "pod condition Ready", _is_ready, _state_field("ready")),
    ]
    pods = evidence.history.pods(evidence.workload.deployment)
    new = [seen for seen in pods if seen.name not in evidence.old_pods and evidence.step < seen.arrived <= evidence.off]
    for name, title, source, reached, api_time in steps:
        found = next(filter(reached, new), None)
        if found is None:
            yield Mark(name, title, None, source, "there was no new pod" if not new else "no new pod reached it")
        else:
            yield _mark(evidence, name, title, found.arrived, source, _api_time(evidence, api_time(found)))


def _served(evidence: ScalingEvidence) -> Mark:
    title, source = "a new pod answers a request", "records of the requests"
    by_new = [it for it in evidence.records if it.pod and it.pod not in evidence.old_pods and it.ended > evidence.step]
    if not by_new:
        return Mark(SERVED, title, None, source, "no new pod answered a request")
    first = min(by_new, key=lambda record: record.ended)
    return _mark(evidence, SERVED, title, first.ended, source, first.pod)


def _all_ready(evidence: ScalingEvidence) -> Mark:
    title, source = "all desired pods are ready", "EndpointSlices"
    counts = [(time, len(pods)) for time, pods in evidence.endpoints if evidence.step < time <= evidence.off]
    if evidence.wanted <= (at(evidence.desired, evidence.step) or 0):
        return Mark(ALL_READY, title, None, source, "the desired replicas did not rise")
    if found := next((time for time, count in counts if count >= evidence.wanted), None):
        return _mark(evidence, ALL_READY, title, found, source, f"{evidence.wanted} pods")
    most = max([len(at(evidence.endpoints, evidence.step) or ()), *(count for _, count in counts)])
    return Mark(ALL_READY, title, None, source, f"at most {most} of {evidence.wanted} were ready")


def _latency_back(evidence: ScalingEvidence, objective: float) -> Mark:
    title, source = f"p95 back within {objective * 1000:.0f} ms", f"records of {evidence.route} in windows of 5 s"
    good, worst, been_over = 0, 0.0, False
    for window in windows(evidence.records, evidence.step, min(_last(evidence), evidence.off), WINDOW_SECONDS):
        p95 = window.latency(95, evidence.route)
        worst = max(worst, p95 or 0)
        within = p95 is not None and p95 <= 1000 * objective
        been_over, good = been_over or not within, good + 1 if within else 0
        if good == WINDOWS_IN_A_ROW:
            began = window.end - WINDOWS_IN_A_ROW * WINDOW_SECONDS
            note = f"up to {worst:.0f} ms before" if been_over else "never above it"
            return _mark(evidence, LATENCY_BACK, title, began, source, note)
    note = f"never within it for {WINDOWS_IN_A_ROW * WINDOW_SECONDS:g} s; up to {worst:.0f} ms"
    return Mark(LATENCY_BACK, title, None, source, note)


def _load_off(evidence: ScalingEvidence) -> Mark:
    title, source = "load off", "the last request beyond the number of users after the step"
    if evidence.load_off is None:
        return Mark(LOAD_OFF, title, None, source, "the load is on")
    return _mark(evidence, LOAD_OFF, title, evidence.load_off, source)


def _scale_in(evidence: ScalingEvidence) -> Iterator[Mark]:
    titles = (SCALE_IN, "the desired replicas fall"), (AT_MINIMUM, f"back at {evidence.minimum} pods")
    sources = "HorizontalPodAutoscaler status", "pods, including terminating ones"
    wanted = at(evidence.desired, evidence.off) or 0
    lowered = [(time, count) for time, count in evidence.desired if time > evidence.off and count < wanted]
    if not lowered:
        note = f"the desired replicas stayed at {wanted}" if evidence.load_off else "the load is on"
        yield from (Mark(*title, None, source, note) for title, source in zip(titles, sources, strict=True))
        return
    first = lowered[0][0]
    yield _mark(evidence, *titles[0], first, sources[0], f"{wanted} to {lowered[0][1]}")
    back = [time for time, pods in evidence.existing if time > first and len(pods) <= evidence.minimum]
    if back:
        yield _mark(evidence, *titles[1], back[0], sources[1])
    else:
        last = at(evidence.existing, float("inf")) or ()
        yield Mark(*titles[1], None, sources[1], f"there were {len(last)} pods at the end")


def _mark(
    evidence: ScalingEvidence, name: str, title: str, time: float, source: str, note: str = "", *, required: bool = True
) -> Mark:
    return Mark(name, title, round(time - evidence.step, 2), source, note, required)


def _under_load(evidence: ScalingEvidence, series: Series[float]) -> Sequence[tuple[float, float]]:
    return [(time, value) for time, value in series if evidence.step < time <= evidence.off]


def _last(evidence: ScalingEvidence) -> float:
    return max((record.ended for record in evidence.records), default=evidence.step)


def _api_time(evidence: ScalingEvidence, time: str | None) -> str:
    return f"{unix(time) - evidence.step:.0f} s by the API" if time else ""


def _state_field(field: str) -> Callable[[Observation], str | None]:
    return lambda seen: seen.state[field]


def _has_node(seen: Observation) -> bool:
    return bool(seen.state["scheduled"])


def _runs(seen: Observation) -> bool:
    return bool(seen.state["started"])


def _is_ready(seen: Observation) -> bool:
    return bool(seen.state["ready"])
