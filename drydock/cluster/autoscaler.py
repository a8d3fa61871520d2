"""The state of each autoscaler in one line: its metrics, its pods, and the causes of missing metric values."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from drydock.cluster import keda
from drydock.cluster.keda import SCALED_OBJECTS
from drydock.cluster.kind import Cluster
from drydock.cluster.stack import TELEMETRY_NAMESPACE
from drydock.pinned.releases import KEDA

UNKNOWN = "unknown"
MISSING = "metrics-server is missing: `drydock up` installs it"
NOT_READY = "metrics-server is not ready: kubectl --namespace kube-system describe deployment metrics-server"
TOO_EARLY = "no metrics yet: metrics-server needs 30 to 60 s after a pod's start"
KEDA_MISSING = "KEDA is missing: `drydock up --mode parity` installs it"
KEDA_NOT_READY = "KEDA's operator is not ready: kubectl --namespace keda describe deployment keda-operator"
API_UNAVAILABLE = (
    "the external metrics API is not available: kubectl --namespace keda describe deployment keda-metrics-apiserver"
)
PROMETHEUS_DOWN = (
    f"Prometheus does not answer: kubectl --namespace {TELEMETRY_NAMESPACE} describe deployment prometheus"
)
NO_RESULT = "the query has no result: check that Prometheus scrapes the pods (its page Status, Target health)"
KEDA_UNANSWERED = "KEDA has no value: kubectl --namespace keda logs deployment/keda-operator"
PAUSED = "paused; to resume it: kubectl --namespace {namespace} annotate scaledobject {name} {annotation}-"
NOT_CREATED = "KEDA has not created its autoscaler: kubectl --namespace {namespace} describe scaledobject {name}"

# metrics-server provides these metrics; KEDA provides the external ones.
RESOURCE_METRICS = frozenset({"Resource", "ContainerResource"})
EXTERNAL = "External"
EXTERNAL_API = "v1beta1.external.metrics.k8s.io"
PAUSE = "autoscaling.keda.sh/paused"
# keda.sh/docs/2.21/reference/scaledobject-spec: KEDA then removes its autoscaler and sets the number of pods itself.
PAUSED_AT = f"{PAUSE}-replicas"
PAUSES = (PAUSE, PAUSED_AT)
TIMEOUT = "--request-timeout=5s"
QUERY_SECONDS = 2.0
# The suffixes of a Kubernetes quantity.
SCALES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True)
class Reading:
    """An autoscaler's state. `causes` say, with a remedy, why metrics have no value; `workload` is what it scales."""

    name: str
    workload: str
    text: str
    causes: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether every metric has a value."""
        return not self.causes

    @property
    def line(self) -> str:
        """The state and the causes in one line."""
        return "; ".join([self.text, *self.causes])


@dataclass(frozen=True)
class Surroundings:
    """The sources of metric values, as the API server describes them; None for a missing one.

    The keys of `scaled_objects` are the names of the autoscalers that KEDA creates, those of `complaints` the queries
    that Prometheus cannot answer.
    """

    metrics_server: Any | None = None
    keda_operator: Any | None = None
    external_api: Any | None = None
    scaled_objects: Mapping[str, Any] = field(default_factory=dict)
    complaints: Mapping[str, str] = field(default_factory=dict)


def survey(cluster: Cluster, namespace: str, prometheus: str) -> list[Reading]:
    """The state of every autoscaler in a namespace, including those that KEDA has yet to create.

    `prometheus` is the address of Prometheus.

    Raises:
        FailedError: the API server does not answer.
    """
    surroundings = look(cluster, namespace, prometheus)
    items = cluster.get("horizontalpodautoscalers.v2.autoscaling", "--namespace", namespace, TIMEOUT)["items"]
    created = {item["metadata"]["name"] for item in items}
    missing = [item for name, item in surroundings.scaled_objects.items() if name not in created]
    return [*(read(item, surroundings) for item in items), *(_read_missing(item, surroundings) for item in missing)]


def look(cluster: Cluster, namespace: str, prometheus: str) -> Surroundings:
    """Queries the API server, and Prometheus with the query of each trigger."""
    installed = keda.installed(cluster, TIMEOUT)
    scaled = cluster.get(SCALED_OBJECTS, "--namespace", namespace, TIMEOUT)["items"] if installed else []
    triggers = [trigger for item in scaled for trigger in item["spec"]["triggers"] if trigger["type"] == "prometheus"]
    queries = {trigger["metadata"]["query"] for trigger in triggers}
    return Surroundings(
        metrics_server=_find(cluster, "deployments", "metrics-server", "kube-system"),
        keda_operator=_find(cluster, "deployments", "keda-operator", KEDA.name),
        external_api=_find(cluster, "apiservices", EXTERNAL_API),
        scaled_objects={_autoscaler_name(item): item for item in scaled},
        complaints={query: complaint for query in queries if (complaint := _complaint(prometheus, query))},
    )


def read(autoscaler: Any, surroundings: Surroundings) -> Reading:
    """The state of a HorizontalPodAutoscaler (autoscaling/v2), such as `cpu 37%/60%, rate 11.5/15, 2 of 2..5 pods`."""
    name, spec, status = autoscaler["metadata"]["name"], autoscaler["spec"], autoscaler.get("status") or {}
    scaled = surroundings.scaled_objects.get(name)
    values = list(_values(spec, status, scaled))
    pods = f"{status.get('currentReplicas', 0)} of {spec.get('minReplicas', 1)}..{spec['maxReplicas']} pods"
    text = ", ".join([*(f"{value.name} {value.now}/{value.target}" for value in values), pods])
    active = _condition(status, "ScalingActive").get("status") == "True"
    causes = list(_causes(values, active, _message(status), surroundings))
    if not active and not causes:
        causes = [_message(status)]
    return Reading(name, spec["scaleTargetRef"]["name"], text, tuple(causes))


@dataclass(frozen=True)
class _Value:
    """A metric: its own name or its trigger's, its current value, and its target."""

    name: str
    kind: str
    now: str
    target: str
    query: str = ""


def _values(spec: Any, status: Any, scaled: Any | None) -> Iterator[_Value]:
    """The metrics, those of metrics-server first."""
    # In the status, a metric without a value has an empty type.
    known = [metric for metric in status.get("currentMetrics") or [] if metric["type"]]
    current = dict(_parse(metric, "current") for metric in known)
    for metric in sorted(spec.get("metrics") or [], key=lambda metric: metric["type"] not in RESOURCE_METRICS):
        name, target = _parse(metric, "target")
        trigger = _trigger(name, scaled)
        query = trigger["metadata"]["query"] if trigger.get("type") == "prometheus" else ""
        yield _Value(trigger.get("name", name), metric["type"], current.get(name, UNKNOWN), target, query)


def _trigger(metric: str, scaled: Any | None) -> Any:
    """The trigger of an external metric. KEDA names the metric of the second trigger s1-prometheus."""
    found = re.match(r"s(\d+)-", metric)
    return scaled["spec"]["triggers"][int(found[1])] if found and scaled else {}


def _parse(metric: Any, side: str) -> tuple[str, str]:
    """The name of a metric, and its value on one side, `target` or `current`."""
    body = metric[metric["type"][0].lower() + metric["type"][1:]]
    amount = body.get(side) or {}
    name = body.get("name") or body["metric"]["name"]
    if "averageUtilization" in amount:
        return name, f"{amount['averageUtilization']}%"
    return name, number(str(amount.get("averageValue") or amount.get("value") or UNKNOWN))


def number(quantity: str) -> str:
    """A Kubernetes quantity as a number with at most one decimal: 41500m is 41.5."""
    found = re.fullmatch(r"(-?[\d.]+)([a-zA-Z]?)", quantity)
    if found is None or found[2] not in SCALES:
        return quantity
    return f"{float(found[1]) * SCALES[found[2]]:.1f}".removesuffix(".0")


def _causes(values: list[_Value], active: bool, message: str, surroundings: Surroundings) -> Iterator[str]:
    """The causes of missing or stale values, each with its remedy."""
    external = [value for value in values if value.kind == EXTERNAL]
    resource = [value for value in values if value.kind in RESOURCE_METRICS]
    if any(value.now == UNKNOWN for value in resource) or (resource and not external and not active):
        yield _resource_metrics_cause(surroundings.metrics_server, message)
    if external and (cause := _external_metrics_cause(surroundings)):
        yield cause
        return
    for value in external:
        if value.query in surroundings.complaints:
            yield f"{value.name}: {surroundings.complaints[value.query]}"
        elif value.now == UNKNOWN:
            yield f"{value.name}: {KEDA_UNANSWERED}"


def _resource_metrics_cause(metrics_server: Any | None, message: str) -> str:
    if metrics_server is None:
        return MISSING
    return f"{TOO_EARLY} ({message})" if _ready(metrics_server) else NOT_READY


def _external_metrics_cause(surroundings: Surroundings) -> str | None:
    """The failed part of KEDA; None if it works."""
    if surroundings.keda_operator is None:
        return KEDA_MISSING
    if not _ready(surroundings.keda_operator):
        return KEDA_NOT_READY
    available = _condition((surroundings.external_api or {}).get("status") or {}, "Available")
    return None if available.get("status") == "True" else API_UNAVAILABLE


def _read_missing(scaled: Any, surroundings: Surroundings) -> Reading:
    """The state of a ScaledObject without an autoscaler. KEDA deletes the autoscaler of a paused ScaledObject."""
    metadata, workload = scaled["metadata"], scaled["spec"]["scaleTargetRef"]["name"]
    pause = next((name for name in PAUSES if metadata.get("annotations", {}).get(name, "false") != "false"), None)
    template = PAUSED if pause else _external_metrics_cause(surroundings) or NOT_CREATED
    cause = template.format(namespace=metadata["namespace"], name=metadata["name"], annotation=pause)
    return Reading(_autoscaler_name(scaled), workload, "no autoscaler", (cause,))


def _autoscaler_name(scaled: Any) -> str:
    """The name of the autoscaler that KEDA creates for a ScaledObject."""
    chosen = scaled["spec"].get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("name")
    return str(chosen or f"keda-hpa-{scaled['metadata']['name']}")


def _message(status: Any) -> str:
    """The message of the autoscaler's condition."""
    condition = _condition(status, "ScalingActive") or _condition(status, "AbleToScale")
    message: str = condition.get("message", "the controller has not synchronised it yet")
    return message


def _condition(status: Any, name: str) -> Any:
    conditions = status.get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == name), {})


def _ready(deployment: Any) -> bool:
    return bool((deployment.get("status") or {}).get("readyReplicas"))


def _find(cluster: Cluster, kind: str, name: str, namespace: str | None = None) -> Any | None:
    """The object of this name; None if there is none."""
    where = ["--namespace", namespace] if namespace else []
    items = cluster.get(kind, f"--field-selector=metadata.name={name}", *where, TIMEOUT)["items"]
    return items[0] if items else None


def _complaint(prometheus: str, query: str) -> str | None:
    """The problem with Prometheus' answer to a query; None if it is one number."""
    try:
        url = f"{prometheus}/api/v1/query"
        response = httpx2.get(url, params={"query": query}, timeout=QUERY_SECONDS, trust_env=False)
    except httpx2.HTTPError:
        return PROMETHEUS_DOWN
    if response.status_code >= 500:
        return PROMETHEUS_DOWN
    answer = response.json()
    if answer["status"] != "success":
        return f"Prometheus rejects the query: {answer['error']}"
    results = answer["data"]["result"]
    if not results:
        return NO_RESULT
    return None if len(results) == 1 else f"the query has {len(results)} results and must have one: aggregate it"
