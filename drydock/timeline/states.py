"""The part of each kind of object that the timeline keeps.

Each function takes an object of the Kubernetes API. Times stay RFC 3339 strings.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lightkube.utils.quantity import parse_quantity

type State = dict[str, Any]


def pod(item: Any) -> State:
    """The lifecycle of a pod; `owner` is its ReplicaSet."""
    meta, status = item["metadata"], item.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or []}
    containers = status.get("containerStatuses") or []
    return {
        "owner": next((owner["name"] for owner in meta.get("ownerReferences") or []), ""),
        "created": meta.get("creationTimestamp"),
        "phase": status.get("phase", "Pending"),
        "node": item.get("spec", {}).get("nodeName", ""),
        "address": status.get("podIP"),
        "scheduled": _since(conditions, "PodScheduled"),
        "started": next(filter(None, map(_running_since, containers)), None),
        "ready": _since(conditions, "Ready"),
        # The API sets deletionTimestamp to the time of the deletion plus the grace period.
        "deletion": meta.get("deletionTimestamp"),
        "grace": meta.get("deletionGracePeriodSeconds"),
        "prestop": _prestop(item.get("spec", {})),
        # The end of its container, and the end before the last restart.
        "ended": next(filter(None, (_end(container["state"]) for container in containers)), None),
        "last_ended": next(filter(None, (_end(container.get("lastState") or {}) for container in containers)), None),
        "restarts": sum(container["restartCount"] for container in containers),
    }


def endpoint_slice(item: Any) -> State:
    """The Service of an EndpointSlice, and the conditions of its endpoints by pod name."""
    return {
        "service": (item["metadata"].get("labels") or {}).get("kubernetes.io/service-name", ""),
        "endpoints": {
            endpoint["targetRef"]["name"]: endpoint.get("conditions") or {}
            for endpoint in item.get("endpoints") or []
            if endpoint.get("targetRef")
        },
    }


def autoscaler(item: Any) -> State:
    """The metrics of an autoscaler, and its numbers of pods. A metric without a value is None."""
    spec, status = item["spec"], item.get("status") or {}
    values = dict(_amount(metric, "current") for metric in status.get("currentMetrics") or [] if metric.get("type"))
    targets = dict(_amount(metric, "target") for metric in spec.get("metrics") or [])
    return {
        "target": spec["scaleTargetRef"]["name"],
        "minimum": spec.get("minReplicas", 1),
        "maximum": spec["maxReplicas"],
        "current": status.get("currentReplicas", 0),
        "desired": status.get("desiredReplicas", 0),
        "metrics": {name: {"value": values.get(name), "target": target} for name, target in targets.items()},
    }


def deployment(item: Any) -> State:
    """The desired and actual numbers of a Deployment's pods."""
    spec, status = item["spec"], item.get("status") or {}
    counts = {name: status.get(f"{name}Replicas", 0) for name in ("ready", "updated", "available")}
    return {"wanted": spec.get("replicas", 1), "replicas": status.get("replicas", 0), **counts}


def event(item: Any) -> State:
    """An Event: its reason and note, and the object that it is about."""
    about = item.get("regarding") or {}
    series = item.get("series") or {}
    return {
        "about": f"{about.get('kind', '')}/{about.get('name', '')}",
        "reason": item.get("reason", ""),
        "note": item.get("note", ""),
        "count": series.get("count") or item.get("deprecatedCount") or 1,
        "time": series.get("lastObservedTime") or item.get("deprecatedLastTimestamp") or item.get("eventTime"),
    }


OF: Mapping[str, Callable[[Any], State]] = {
    "Pod": pod,
    "EndpointSlice": endpoint_slice,
    "HorizontalPodAutoscaler": autoscaler,
    "Deployment": deployment,
    "Event": event,
}


def _prestop(spec: Any) -> float | None:
    """Seconds from the deletion until SIGTERM; None if a hook runs a command or sends a request."""
    hooks = [(it.get("lifecycle") or {}).get("preStop") for it in spec.get("containers") or []]
    if any(hook and "sleep" not in hook for hook in hooks):
        return None
    return max((float(hook["sleep"]["seconds"]) for hook in hooks if hook), default=0.0)


def _since(conditions: Mapping[str, Any], name: str) -> str | None:
    """The time since which a condition is True; None if it is not."""
    condition = conditions.get(name, {})
    return condition.get("lastTransitionTime") if condition.get("status") == "True" else None


def _end(state: Any) -> State | None:
    """Exit code, reason and time of a terminated container; None for any other state."""
    ended = state.get("terminated")
    if not ended:
        return None
    return {"exit_code": ended.get("exitCode"), "reason": ended.get("reason", ""), "finished": ended.get("finishedAt")}


def _running_since(container: Any) -> str | None:
    running = container["state"].get("running") or {}
    started: str | None = running.get("startedAt")
    return started


def _amount(metric: Any, side: str) -> tuple[str, float | None]:
    """The name of a metric, and its number on one side, `target` or `current`."""
    body = metric[metric["type"][0].lower() + metric["type"][1:]]
    amount = body.get(side) or {}
    name = body.get("name") or body["metric"]["name"]
    if "averageUtilization" in amount:
        return name, float(amount["averageUtilization"])
    number = parse_quantity(amount.get("averageValue") or amount.get("value"))
    return name, None if number is None else float(number)
