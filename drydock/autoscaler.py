"""What an autoscaler reads and decides, in one line, and why it reads nothing where it does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

UNKNOWN = "unknown"
MISSING = "metrics-server is missing: `drydock up` puts it back"
NOT_READY = "metrics-server is not ready: kubectl --namespace kube-system describe deployment metrics-server"
TOO_EARLY = "no metrics yet: metrics-server needs 30 to 60 s after a pod's start"
# The metrics that metrics-server provides; others come from elsewhere.
ITS_METRICS = frozenset({"Resource", "ContainerResource"})


@dataclass(frozen=True)
class Reading:
    """An autoscaler's line: `well` where each of its metrics has a value."""

    name: str
    well: bool
    text: str


def read(autoscaler: Any, metrics_server: Any | None) -> Reading:
    """The line of a HorizontalPodAutoscaler (autoscaling/v2); `metrics_server` is its Deployment, None without one.

    An example: `cpu 37%/60%, 2 of 2..5 pods`.
    """
    spec, status = autoscaler["spec"], autoscaler.get("status") or {}
    values = list(_values(spec, status))
    pods = f"{status.get('currentReplicas', 0)} of {spec.get('minReplicas', 1)}..{spec['maxReplicas']} pods"
    text = ", ".join([*(f"{name} {value}/{target}" for name, value, target in values), pods])
    active = _condition(status, "ScalingActive").get("status") == "True"
    well = active and all(value != UNKNOWN for _, value, _ in values)
    if not well:
        text += f"; {_why(spec, status, metrics_server)}"
    return Reading(autoscaler["metadata"]["name"], well, text)


def _values(spec: Any, status: Any) -> Iterator[tuple[str, str, str]]:
    """Name, value and target of each metric."""
    # A metric without a value has no type there either.
    known = [metric for metric in status.get("currentMetrics") or [] if metric["type"]]
    current = dict(_parse(metric, "current") for metric in known)
    for metric in spec.get("metrics") or []:
        name, target = _parse(metric, "target")
        yield name, current.get(name, UNKNOWN), target


def _parse(metric: Any, side: str) -> tuple[str, str]:
    """The name of a metric and one side of it, `target` or `current`."""
    body = metric[metric["type"][0].lower() + metric["type"][1:]]
    amount = body.get(side) or {}
    name = body.get("name") or body["metric"]["name"]
    if "averageUtilization" in amount:
        return name, f"{amount['averageUtilization']}%"
    return name, str(amount.get("averageValue") or amount.get("value") or UNKNOWN)


def _why(spec: Any, status: Any, metrics_server: Any | None) -> str:
    """What keeps the metrics away, with the remedy where there is one, and what the controller says of it."""
    condition = _condition(status, "ScalingActive") or _condition(status, "AbleToScale")
    said: str = condition.get("message", "the controller has not looked yet")
    if not ITS_METRICS & {metric["type"] for metric in spec.get("metrics") or []}:
        return said
    if metrics_server is None:
        return MISSING
    return f"{TOO_EARLY if metrics_server['status'].get('readyReplicas') else NOT_READY} ({said})"


def _condition(status: Any, name: str) -> Any:
    conditions = status.get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == name), {})
