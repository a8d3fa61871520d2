"""What an autoscaler reads and decides, in one line, and why it reads nothing where it does not."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from drydock.cluster.kind import Cluster
from drydock.cluster.stack import TELEMETRY_NAMESPACE
from drydock.pinned.releases import KEDA

UNKNOWN = "unknown"
MISSING = "metrics-server is missing: `drydock up` puts it back"
NOT_READY = "metrics-server is not ready: kubectl --namespace kube-system describe deployment metrics-server"
TOO_EARLY = "no metrics yet: metrics-server needs 30 to 60 s after a pod's start"
KEDA_MISSING = "KEDA is missing: `drydock up --mode parity` puts it back"
KEDA_NOT_READY = "KEDA's operator is not ready: kubectl --namespace keda describe deployment keda-operator"
API_UNAVAILABLE = (
    "the external metrics API is not available: kubectl --namespace keda describe deployment keda-metrics-apiserver"
)
PROMETHEUS_DOWN = (
    f"Prometheus does not answer: kubectl --namespace {TELEMETRY_NAMESPACE} describe deployment prometheus"
)
NO_RESULT = "the query has no result: are the pods scraped? Prometheus shows it under Status, Target health"
KEDA_UNANSWERED = "KEDA has no value: kubectl --namespace keda logs deployment/keda-operator"
PAUSED = "paused: kubectl --namespace {namespace} annotate scaledobject {name} {annotation}- resumes it"
NOT_MADE = "KEDA has made no autoscaler of it: kubectl --namespace {namespace} describe scaledobject {name}"

# The metrics that metrics-server provides; KEDA provides the external ones.
ITS_METRICS = frozenset({"Resource", "ContainerResource"})
EXTERNAL = "External"
EXTERNAL_API = "v1beta1.external.metrics.k8s.io"
PAUSE = "autoscaling.keda.sh/paused"
# keda.sh/docs/2.21/reference/scaledobject-spec: KEDA then removes its autoscaler and sets the number of pods itself.
PAUSED_AT = f"{PAUSE}-replicas"
PAUSES = (PAUSE, PAUSED_AT)
TIMEOUT = "--request-timeout=5s"
ASK_SECONDS = 2.0
# The suffixes of a quantity that a metric's value comes with.
SCALES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True)
class Reading:
    """What an autoscaler sees, and the causes, with their remedies, why it does not; `workload` is what it scales."""

    name: str
    workload: str
    text: str
    causes: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether each of its metrics has a value."""
        return not self.causes

    @property
    def line(self) -> str:
        """All of it in one line."""
        return "; ".join([self.text, *self.causes])


@dataclass(frozen=True)
class Surroundings:
    """Where the values come from, as the API server describes it, None for what is missing.

    `scaled_objects` are known by the name of the autoscaler that KEDA makes of each, `complaints` about Prometheus by
    the query that it has no answer to.
    """

    metrics_server: Any | None = None
    keda_operator: Any | None = None
    external_api: Any | None = None
    scaled_objects: Mapping[str, Any] = field(default_factory=dict)
    complaints: Mapping[str, str] = field(default_factory=dict)


def survey(cluster: Cluster, namespace: str, prometheus: str) -> list[Reading]:
    """The line of every autoscaler of a namespace, also of one that KEDA has not made; `prometheus` is its page.

    Raises:
        FailedError: the API server does not answer.
    """
    surroundings = look(cluster, namespace, prometheus)
    items = cluster.get("horizontalpodautoscalers.v2.autoscaling", "--namespace", namespace, TIMEOUT)["items"]
    made = {item["metadata"]["name"] for item in items}
    unmade = [item for name, item in surroundings.scaled_objects.items() if name not in made]
    return [*(read(item, surroundings) for item in items), *(_read_unmade(item, surroundings) for item in unmade)]


def look(cluster: Cluster, namespace: str, prometheus: str) -> Surroundings:
    """Asks the API server, and Prometheus what it says to each trigger's query."""
    scaled = cluster.get("scaledobjects", "--namespace", namespace, TIMEOUT)["items"] if _has_keda(cluster) else []
    triggers = [trigger for item in scaled for trigger in item["spec"]["triggers"] if trigger["type"] == "prometheus"]
    queries = {trigger["metadata"]["query"] for trigger in triggers}
    return Surroundings(
        metrics_server=_find(cluster, "deployments", "metrics-server", "kube-system"),
        keda_operator=_find(cluster, "deployments", "keda-operator", KEDA.name),
        external_api=_find(cluster, "apiservices", EXTERNAL_API),
        scaled_objects={_made_of(item): item for item in scaled},
        complaints={query: said for query in queries if (said := _complaint(prometheus, query))},
    )


def read(autoscaler: Any, surroundings: Surroundings) -> Reading:
    """The line of a HorizontalPodAutoscaler (autoscaling/v2), as `cpu 37%/60%, rate 11.5/15, 2 of 2..5 pods`."""
    name, spec, status = autoscaler["metadata"]["name"], autoscaler["spec"], autoscaler.get("status") or {}
    scaled = surroundings.scaled_objects.get(name)
    values = list(_values(spec, status, scaled))
    pods = f"{status.get('currentReplicas', 0)} of {spec.get('minReplicas', 1)}..{spec['maxReplicas']} pods"
    text = ", ".join([*(f"{value.name} {value.now}/{value.target}" for value in values), pods])
    active = _condition(status, "ScalingActive").get("status") == "True"
    causes = list(_causes(values, active, _said(status), surroundings))
    if not active and not causes:
        causes = [_said(status)]
    return Reading(name, spec["scaleTargetRef"]["name"], text, tuple(causes))


@dataclass(frozen=True)
class _Value:
    """A metric: its own name or its trigger's, what it is now, and its target."""

    name: str
    kind: str
    now: str
    target: str
    query: str = ""


def _values(spec: Any, status: Any, scaled: Any | None) -> Iterator[_Value]:
    """Each metric, those of metrics-server first."""
    # A metric without a value has no type there either.
    known = [metric for metric in status.get("currentMetrics") or [] if metric["type"]]
    current = dict(_parse(metric, "current") for metric in known)
    for metric in sorted(spec.get("metrics") or [], key=lambda metric: metric["type"] not in ITS_METRICS):
        name, target = _parse(metric, "target")
        trigger = _trigger(name, scaled)
        query = trigger["metadata"]["query"] if trigger.get("type") == "prometheus" else ""
        yield _Value(trigger.get("name", name), metric["type"], current.get(name, UNKNOWN), target, query)


def _trigger(metric: str, scaled: Any | None) -> Any:
    """The trigger that KEDA made a metric of: it calls the second one s1-prometheus."""
    found = re.match(r"s(\d+)-", metric)
    return scaled["spec"]["triggers"][int(found[1])] if found and scaled else {}


def _parse(metric: Any, side: str) -> tuple[str, str]:
    """The name of a metric and one side of it, `target` or `current`."""
    body = metric[metric["type"][0].lower() + metric["type"][1:]]
    amount = body.get(side) or {}
    name = body.get("name") or body["metric"]["name"]
    if "averageUtilization" in amount:
        return name, f"{amount['averageUtilization']}%"
    return name, number(str(amount.get("averageValue") or amount.get("value") or UNKNOWN))


def number(quantity: str) -> str:
    """A quantity of Kubernetes as a number with at most one digit after the point: 41500m is 41.5."""
    found = re.fullmatch(r"(-?[\d.]+)([a-zA-Z]?)", quantity)
    if found is None or found[2] not in SCALES:
        return quantity
    return f"{float(found[1]) * SCALES[found[2]]:.1f}".removesuffix(".0")


def _causes(values: list[_Value], active: bool, said: str, surroundings: Surroundings) -> Iterator[str]:
    """What keeps values away, each with its remedy; also where an old one still stands."""
    external = [value for value in values if value.kind == EXTERNAL]
    resource = [value for value in values if value.kind in ITS_METRICS]
    if any(value.now == UNKNOWN for value in resource) or (resource and not external and not active):
        yield _why_no_resource(surroundings.metrics_server, said)
    if external and (broken := _why_no_external(surroundings)):
        yield broken
        return
    for value in external:
        if value.query in surroundings.complaints:
            yield f"{value.name}: {surroundings.complaints[value.query]}"
        elif value.now == UNKNOWN:
            yield f"{value.name}: {KEDA_UNANSWERED}"


def _why_no_resource(metrics_server: Any | None, said: str) -> str:
    if metrics_server is None:
        return MISSING
    return f"{TOO_EARLY} ({said})" if _ready(metrics_server) else NOT_READY


def _why_no_external(surroundings: Surroundings) -> str | None:
    """What of KEDA does not work, or None."""
    if surroundings.keda_operator is None:
        return KEDA_MISSING
    if not _ready(surroundings.keda_operator):
        return KEDA_NOT_READY
    available = _condition((surroundings.external_api or {}).get("status") or {}, "Available")
    return None if available.get("status") == "True" else API_UNAVAILABLE


def _read_unmade(scaled: Any, surroundings: Surroundings) -> Reading:
    """The line of a ScaledObject without an autoscaler: KEDA takes it away while it is paused."""
    metadata, workload = scaled["metadata"], scaled["spec"]["scaleTargetRef"]["name"]
    pause = next((name for name in PAUSES if metadata.get("annotations", {}).get(name, "false") != "false"), None)
    why = PAUSED if pause else _why_no_external(surroundings) or NOT_MADE
    cause = why.format(namespace=metadata["namespace"], name=metadata["name"], annotation=pause)
    return Reading(_made_of(scaled), workload, "no autoscaler", (cause,))


def _made_of(scaled: Any) -> str:
    """The name of the autoscaler that KEDA makes of a ScaledObject."""
    chosen = scaled["spec"].get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("name")
    return str(chosen or f"keda-hpa-{scaled['metadata']['name']}")


def _said(status: Any) -> str:
    """What the controller says of it."""
    condition = _condition(status, "ScalingActive") or _condition(status, "AbleToScale")
    said: str = condition.get("message", "the controller has not looked yet")
    return said


def _condition(status: Any, name: str) -> Any:
    conditions = status.get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == name), {})


def _ready(deployment: Any) -> bool:
    return bool((deployment.get("status") or {}).get("readyReplicas"))


def _has_keda(cluster: Cluster) -> bool:
    """Whether the cluster knows ScaledObjects."""
    return _find(cluster, "customresourcedefinitions", "scaledobjects.keda.sh") is not None


def _find(cluster: Cluster, kind: str, name: str, namespace: str | None = None) -> Any | None:
    """One object, None where there is none."""
    where = ["--namespace", namespace] if namespace else []
    items = cluster.get(kind, f"--field-selector=metadata.name={name}", *where, TIMEOUT)["items"]
    return items[0] if items else None


def _complaint(prometheus: str, query: str) -> str | None:
    """What is wrong with Prometheus' answer to a query, or None where it is one number."""
    try:
        answer = httpx2.get(f"{prometheus}/api/v1/query", params={"query": query}, timeout=ASK_SECONDS)
    except httpx2.HTTPError:
        return PROMETHEUS_DOWN
    if answer.status_code >= 500:
        return PROMETHEUS_DOWN
    said = answer.json()
    if said["status"] != "success":
        return f"Prometheus refuses the query: {said['error']}"
    results = said["data"]["result"]
    if not results:
        return NO_RESULT
    return None if len(results) == 1 else f"the query has {len(results)} results and must have one: aggregate it"
