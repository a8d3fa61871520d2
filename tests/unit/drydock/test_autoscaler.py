from dataclasses import replace
from typing import Any

import httpx2
import pytest

from drydock.cluster import autoscaler
from drydock.cluster.autoscaler import Surroundings
from drydock.core.errors import FailedError

READY: Any = {"status": {"readyReplicas": 1}}
STARTING: Any = {"status": {}}
AVAILABLE: Any = {"status": {"conditions": [{"type": "Available", "status": "True"}]}}
QUERY = "sum(rate(http_requests_total[30s]))"


def condition(name: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": name, "status": status, "reason": reason, "message": message}


ACTIVE = condition("ScalingActive", "True", "ValidMetricFound")
NO_CPU = condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics returned from resource metrics API")
NO_RATE = condition("ScalingActive", "False", "FailedGetExternalMetric", "unable to get external metric")


def cpu(value: int | None) -> tuple[Any, Any]:
    """The specification and the status of a CPU metric."""
    target = {"type": "Utilization", "averageUtilization": 60}
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": value}}}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}, current if value is not None else None


def rate(value: str | None) -> tuple[Any, Any]:
    """The specification and the status of the external metric of a ScaledObject's second trigger."""
    metric, target = {"name": "s1-prometheus"}, {"type": "AverageValue", "averageValue": "15"}
    current = {"type": "External", "external": {"metric": metric, "current": {"averageValue": value}}}
    return {"type": "External", "external": {"metric": metric, "target": target}}, current if value else None


def scaler(*metrics: tuple[Any, Any], conditions: tuple[dict[str, str], ...] = (ACTIVE,)) -> dict[str, Any]:
    """A HorizontalPodAutoscaler from the API server. In its status, a metric without a value has an empty type."""
    return {
        "metadata": {"name": "shop"},
        "spec": {
            "scaleTargetRef": {"name": "shop"},
            "minReplicas": 2,
            "maxReplicas": 5,
            "metrics": [metric for metric, _ in metrics],
        },
        "status": {
            "currentReplicas": 2,
            "currentMetrics": [current or {"type": ""} for _, current in metrics],
            "conditions": list(conditions),
        },
    }


def scaled_object(annotations: dict[str, str] | None = None) -> Any:
    """The ScaledObject of the autoscaler `shop`."""
    return {
        "metadata": {"name": "shop", "namespace": "shop", "annotations": annotations or {}},
        "spec": {
            "scaleTargetRef": {"name": "shop"},
            "advanced": {"horizontalPodAutoscalerConfig": {"name": "shop"}},
            "triggers": [
                {"type": "cpu", "name": "cpu", "metadata": {"value": "60"}},
                {"type": "prometheus", "name": "rate", "metadata": {"query": QUERY}},
            ],
        },
    }


HEALTHY = Surroundings(READY, READY, AVAILABLE, {"shop": scaled_object()})


def test_the_line_of_a_cpu_autoscaler_has_value_target_and_pods() -> None:
    reading = autoscaler.read(scaler(cpu(37)), Surroundings(READY))

    assert reading == autoscaler.Reading("shop", "shop", "cpu 37%/60%, 2 of 2..5 pods")
    assert reading.healthy


def test_an_external_metric_has_its_triggers_name_and_follows_cpu() -> None:
    reading = autoscaler.read(scaler(rate("11500m"), cpu(37)), HEALTHY)

    assert reading.line == "cpu 37%/60%, rate 11.5/15, 2 of 2..5 pods"
    assert reading.healthy


def test_a_metric_without_a_trigger_keeps_its_own_name() -> None:
    assert autoscaler.read(scaler(rate("11")), replace(HEALTHY, scaled_objects={})).text.startswith(
        "s1-prometheus 11/15"
    )


def test_zero_is_a_value() -> None:
    assert autoscaler.read(scaler(rate("0"), cpu(0)), HEALTHY).line.startswith("cpu 0%/60%, rate 0/15")


@pytest.mark.parametrize(
    ("quantity", "text"),
    [("41500m", "41.5"), ("15", "15"), ("0", "0"), ("2k", "2000"), ("20833m", "20.8"), ("unknown", "unknown")],
)
def test_a_quantity_is_shown_as_a_number(quantity: str, text: str) -> None:
    assert autoscaler.number(quantity) == text


@pytest.mark.parametrize(
    ("metrics_server", "reason"),
    [(None, autoscaler.MISSING), (STARTING, autoscaler.NOT_READY), (READY, autoscaler.TOO_EARLY)],
    ids=["missing", "not ready", "too early"],
)
def test_the_cause_of_a_missing_cpu_value_is_metrics_server(metrics_server: Any, reason: str) -> None:
    for scales in (scaler(cpu(None), conditions=(NO_CPU,)), scaler(rate("11"), cpu(None))):
        reading = autoscaler.read(scales, replace(HEALTHY, metrics_server=metrics_server))

        assert not reading.healthy
        assert "cpu unknown/60%" in reading.text
        assert reason in reading.causes[0]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"keda_operator": None}, autoscaler.KEDA_MISSING),
        ({"keda_operator": STARTING}, autoscaler.KEDA_NOT_READY),
        ({"external_api": None}, autoscaler.API_UNAVAILABLE),
        ({"external_api": STARTING}, autoscaler.API_UNAVAILABLE),
        ({"complaints": {QUERY: autoscaler.PROMETHEUS_DOWN}}, f"rate: {autoscaler.PROMETHEUS_DOWN}"),
        ({"complaints": {QUERY: autoscaler.NO_RESULT}}, f"rate: {autoscaler.NO_RESULT}"),
        ({}, f"rate: {autoscaler.KEDA_UNANSWERED}"),
    ],
    ids=["no KEDA", "KEDA not ready", "no API", "API not available", "Prometheus down", "no result", "no value"],
)
def test_the_cause_of_a_missing_rate_is_the_failed_component(change: dict[str, Any], cause: str) -> None:
    reading = autoscaler.read(scaler(rate(None), cpu(3), conditions=(NO_RATE,)), replace(HEALTHY, **change))

    assert reading.text == "cpu 3%/60%, rate unknown/15, 2 of 2..5 pods"
    assert reading.causes == (cause,)


def test_a_stale_rate_is_not_healthy() -> None:
    # The controller keeps the last value while it waits for KEDA's answer.
    reading = autoscaler.read(scaler(rate("11"), cpu(3)), replace(HEALTHY, keda_operator=STARTING))

    assert reading.causes == (autoscaler.KEDA_NOT_READY,)


def test_the_line_has_every_cause() -> None:
    broken = replace(HEALTHY, metrics_server=None, complaints={QUERY: autoscaler.PROMETHEUS_DOWN})
    reading = autoscaler.read(scaler(rate(None), cpu(None), conditions=(NO_RATE,)), broken)

    assert reading.causes == (autoscaler.MISSING, f"rate: {autoscaler.PROMETHEUS_DOWN}")


def test_the_line_has_the_controllers_message() -> None:
    refusal = condition("ScalingActive", "False", "FailedGetResourceMetric", "missing request for cpu")

    assert "missing request for cpu" in autoscaler.read(scaler(cpu(None), conditions=(refusal,)), HEALTHY).line


def test_the_cause_of_a_disabled_autoscaler_is_the_controllers_message() -> None:
    refusal = condition("ScalingActive", "False", "ScalingDisabled", "the replica count of the target is zero")

    assert autoscaler.read(scaler(rate("0"), cpu(0), conditions=(refusal,)), HEALTHY).causes == (refusal["message"],)


def test_a_stale_cpu_value_is_not_healthy() -> None:
    assert not autoscaler.read(scaler(cpu(37), conditions=(NO_CPU,)), HEALTHY).healthy


def test_a_new_autoscaler_is_not_synchronised_yet() -> None:
    new = scaler(cpu(37))
    del new["status"]

    reading = autoscaler.read(new, HEALTHY)

    assert not reading.healthy
    assert reading.text == "cpu unknown/60%, 0 of 2..5 pods"
    assert "the controller has not synchronised it yet" in reading.line


class Answers:
    """A test double of the cluster: the objects of `kubectl get` by kind. ScaledObject is a kind with its CRD only."""

    def __init__(self, **items: list[Any]) -> None:
        self.items = items

    def get(self, kind: str, *_: str) -> Any:
        name = kind.split(".")[0]
        if name == "scaledobjects" and not self.items["customresourcedefinitions"]:
            raise FailedError(f"the server doesn't have a resource type {kind!r}")
        return {"items": self.items.get(name, [])}

    def call(self, *arguments: str) -> str:
        assert arguments[:3] == ("get", "crd", "scaledobjects.keda.sh")
        return "crd" if self.items["customresourcedefinitions"] else ""


def survey(prometheus: str = "http://127.0.0.1:1", **items: list[Any]) -> list[autoscaler.Reading]:
    crd = {"customresourcedefinitions": [{}], "deployments": [READY], "apiservices": [AVAILABLE]}
    return autoscaler.survey(Answers(**(crd | items)), "shop", prometheus)  # type: ignore[arg-type]


@pytest.mark.parametrize(("annotation", "value"), [("paused", "true"), ("paused-replicas", "2")])
def test_the_line_of_a_paused_scaled_object_has_the_command_that_resumes_it(annotation: str, value: str) -> None:
    [reading] = survey(scaledobjects=[scaled_object({f"autoscaling.keda.sh/{annotation}": value})])

    assert reading.text == "no autoscaler"
    resume = f"kubectl --namespace shop annotate scaledobject shop autoscaling.keda.sh/{annotation}-"
    assert reading.causes == (f"paused; to resume it: {resume}",)


@pytest.mark.parametrize(
    ("operator", "cause"), [([], autoscaler.KEDA_MISSING), ([STARTING], autoscaler.KEDA_NOT_READY)]
)
def test_the_cause_of_a_scaled_object_without_an_autoscaler_is_the_operator(operator: list[Any], cause: str) -> None:
    [reading] = survey(scaledobjects=[scaled_object()], deployments=operator)

    assert reading.causes == (cause,)


def test_with_a_healthy_keda_the_remedy_describes_the_scaled_object() -> None:
    [reading] = survey(scaledobjects=[scaled_object()])

    assert "describe scaledobject shop" in reading.line


def test_a_cluster_without_keda_has_its_own_autoscaler() -> None:
    [reading] = survey(customresourcedefinitions=[], horizontalpodautoscalers=[scaler(cpu(37))])

    assert reading.line == "cpu 37%/60%, 2 of 2..5 pods"


@pytest.fixture
def prometheus(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Prometheus' answer, for the test to change."""
    answer: dict[str, Any] = {"code": 200, "body": {"status": "success", "data": {"result": [{}]}}}

    def get(url: str, **_: Any) -> httpx2.Response:
        assert url == "http://prometheus/api/v1/query"
        return httpx2.Response(answer["code"], json=answer["body"])

    monkeypatch.setattr(httpx2, "get", get)
    return answer


def line_without_a_rate() -> str:
    without_rate = scaler(rate(None), cpu(3), conditions=(NO_RATE,))
    [reading] = survey("http://prometheus", scaledobjects=[scaled_object()], horizontalpodautoscalers=[without_rate])
    return reading.line


def test_the_cause_is_a_query_without_a_result(prometheus: dict[str, Any]) -> None:
    prometheus["body"]["data"]["result"] = []
    assert f"rate: {autoscaler.NO_RESULT}" in line_without_a_rate()


def test_the_cause_is_a_query_with_two_results(prometheus: dict[str, Any]) -> None:
    prometheus["body"]["data"]["result"] = [{}, {}]
    assert "the query has 2 results and must have one: aggregate it" in line_without_a_rate()


def test_the_cause_is_a_query_that_is_not_promql(prometheus: dict[str, Any]) -> None:
    prometheus |= {"code": 400, "body": {"status": "error", "error": "1:6: parse error"}}
    assert "Prometheus rejects the query: 1:6: parse error" in line_without_a_rate()


def test_the_cause_is_keda_when_the_query_has_its_one_result(prometheus: dict[str, Any]) -> None:
    assert f"rate: {autoscaler.KEDA_UNANSWERED}" in line_without_a_rate()


def test_the_cause_is_a_prometheus_that_does_not_answer() -> None:
    without_rate = scaler(rate(None), cpu(3), conditions=(NO_RATE,))
    [reading] = survey(scaledobjects=[scaled_object()], horizontalpodautoscalers=[without_rate])

    assert reading.causes == (f"rate: {autoscaler.PROMETHEUS_DOWN}",)
