from dataclasses import replace
from typing import Any

import httpx2
import pytest

from drydock.cluster import autoscaler
from drydock.cluster.autoscaler import Surroundings

READY: Any = {"status": {"readyReplicas": 1}}
STARTING: Any = {"status": {}}
AVAILABLE: Any = {"status": {"conditions": [{"type": "Available", "status": "True"}]}}
QUERY = "sum(rate(http_requests_total[30s]))"


def condition(name: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": name, "status": status, "reason": reason, "message": message}


ACTIVE = condition("ScalingActive", "True", "ValidMetricFound")
BLIND = condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics returned from resource metrics API")
NO_RATE = condition("ScalingActive", "False", "FailedGetExternalMetric", "unable to get external metric")


def cpu(value: int | None) -> tuple[Any, Any]:
    """Specification and status of a metric of CPU."""
    target = {"type": "Utilization", "averageUtilization": 60}
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": value}}}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}, current if value is not None else None


def rate(value: str | None) -> tuple[Any, Any]:
    """Specification and status of the metric that KEDA makes of the second trigger."""
    metric, target = {"name": "s1-prometheus"}, {"type": "AverageValue", "averageValue": "15"}
    current = {"type": "External", "external": {"metric": metric, "current": {"averageValue": value}}}
    return {"type": "External", "external": {"metric": metric, "target": target}}, current if value else None


def scaler(*metrics: tuple[Any, Any], conditions: tuple[dict[str, str], ...] = (ACTIVE,)) -> dict[str, Any]:
    """An autoscaler as the API server describes it; a metric without a value has no type there either."""
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
    """What KEDA makes the autoscaler `shop` of."""
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


def test_an_autoscaler_of_cpu_says_value_target_and_pods() -> None:
    reading = autoscaler.read(scaler(cpu(37)), Surroundings(READY))

    assert reading == autoscaler.Reading("shop", "shop", "cpu 37%/60%, 2 of 2..5 pods")
    assert reading.healthy


def test_an_external_metric_bears_its_triggers_name_and_comes_after_cpu() -> None:
    reading = autoscaler.read(scaler(rate("11500m"), cpu(37)), HEALTHY)

    assert reading.line == "cpu 37%/60%, rate 11.5/15, 2 of 2..5 pods"
    assert reading.healthy


def test_a_metric_that_no_trigger_explains_keeps_its_own_name() -> None:
    assert autoscaler.read(scaler(rate("11")), replace(HEALTHY, scaled_objects={})).text.startswith(
        "s1-prometheus 11/15"
    )


def test_nothing_used_is_a_value_too() -> None:
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
def test_without_a_value_of_cpu_it_says_what_metrics_server_lacks(metrics_server: Any, reason: str) -> None:
    for scales in (scaler(cpu(None), conditions=(BLIND,)), scaler(rate("11"), cpu(None))):
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
def test_without_a_rate_it_says_who_does_not_deliver_it(change: dict[str, Any], cause: str) -> None:
    reading = autoscaler.read(scaler(rate(None), cpu(3), conditions=(NO_RATE,)), replace(HEALTHY, **change))

    assert reading.text == "cpu 3%/60%, rate unknown/15, 2 of 2..5 pods"
    assert reading.causes == (cause,)


def test_a_rate_that_still_stands_while_its_source_is_gone_is_not_well() -> None:
    # The controller waits for KEDA's answer, and shows the last one meanwhile.
    reading = autoscaler.read(scaler(rate("11"), cpu(3)), replace(HEALTHY, keda_operator=STARTING))

    assert reading.causes == (autoscaler.KEDA_NOT_READY,)


def test_everything_that_is_amiss_is_said() -> None:
    blind = replace(HEALTHY, metrics_server=None, complaints={QUERY: autoscaler.PROMETHEUS_DOWN})
    reading = autoscaler.read(scaler(rate(None), cpu(None), conditions=(NO_RATE,)), blind)

    assert reading.causes == (autoscaler.MISSING, f"rate: {autoscaler.PROMETHEUS_DOWN}")


def test_what_the_controller_says_is_passed_on() -> None:
    refusal = condition("ScalingActive", "False", "FailedGetResourceMetric", "missing request for cpu")

    assert "missing request for cpu" in autoscaler.read(scaler(cpu(None), conditions=(refusal,)), HEALTHY).line


def test_an_autoscaler_that_the_controller_cannot_use_says_why() -> None:
    refusal = condition("ScalingActive", "False", "ScalingDisabled", "the replica count of the target is zero")

    assert autoscaler.read(scaler(rate("0"), cpu(0), conditions=(refusal,)), HEALTHY).causes == (refusal["message"],)


def test_an_old_value_of_an_autoscaler_that_has_become_blind_is_not_well() -> None:
    assert not autoscaler.read(scaler(cpu(37), conditions=(BLIND,)), HEALTHY).healthy


def test_a_new_autoscaler_has_not_been_looked_at() -> None:
    new = scaler(cpu(37))
    del new["status"]

    reading = autoscaler.read(new, HEALTHY)

    assert not reading.healthy
    assert reading.text == "cpu unknown/60%, 0 of 2..5 pods"
    assert "the controller has not looked yet" in reading.line


class Answers:
    """Stands for the cluster: what `kubectl get` says, by kind."""

    def __init__(self, **items: list[Any]) -> None:
        self.items = items

    def get(self, kind: str, *_: str) -> Any:
        return {"items": self.items.get(kind.split(".")[0], [])}


def survey(prometheus: str = "http://127.0.0.1:1", **items: list[Any]) -> list[autoscaler.Reading]:
    crd = {"customresourcedefinitions": [{}], "deployments": [READY], "apiservices": [AVAILABLE]}
    return autoscaler.survey(Answers(**(crd | items)), "shop", prometheus)  # type: ignore[arg-type]


@pytest.mark.parametrize(("annotation", "value"), [("paused", "true"), ("paused-replicas", "2")])
def test_a_paused_scaled_object_has_no_autoscaler_and_says_how_to_resume_it(annotation: str, value: str) -> None:
    [reading] = survey(scaledobjects=[scaled_object({f"autoscaling.keda.sh/{annotation}": value})])

    assert reading.text == "no autoscaler"
    resume = f"kubectl --namespace shop annotate scaledobject shop autoscaling.keda.sh/{annotation}-"
    assert reading.causes == (f"paused: {resume} resumes it",)


@pytest.mark.parametrize(
    ("operator", "cause"), [([], autoscaler.KEDA_MISSING), ([STARTING], autoscaler.KEDA_NOT_READY)]
)
def test_a_scaled_object_that_keda_made_nothing_of_says_why(operator: list[Any], cause: str) -> None:
    [reading] = survey(scaledobjects=[scaled_object()], deployments=operator)

    assert reading.causes == (cause,)


def test_with_keda_well_a_scaled_object_without_an_autoscaler_is_keda_s_to_explain() -> None:
    [reading] = survey(scaledobjects=[scaled_object()])

    assert "describe scaledobject shop" in reading.line


def test_a_cluster_without_keda_has_its_plain_autoscaler() -> None:
    [reading] = survey(customresourcedefinitions=[], horizontalpodautoscalers=[scaler(cpu(37))])

    assert reading.line == "cpu 37%/60%, 2 of 2..5 pods"


@pytest.fixture
def prometheus(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What Prometheus answers."""
    answer: dict[str, Any] = {"code": 200, "body": {"status": "success", "data": {"result": [{}]}}}

    def get(url: str, **_: Any) -> httpx2.Response:
        assert url == "http://prometheus/api/v1/query"
        return httpx2.Response(answer["code"], json=answer["body"])

    monkeypatch.setattr(httpx2, "get", get)
    return answer


def blind_line() -> str:
    blind = scaler(rate(None), cpu(3), conditions=(NO_RATE,))
    [reading] = survey("http://prometheus", scaledobjects=[scaled_object()], horizontalpodautoscalers=[blind])
    return reading.line


def test_a_query_without_a_result_is_told(prometheus: dict[str, Any]) -> None:
    prometheus["body"]["data"]["result"] = []
    assert f"rate: {autoscaler.NO_RESULT}" in blind_line()


def test_a_query_with_two_results_is_told(prometheus: dict[str, Any]) -> None:
    prometheus["body"]["data"]["result"] = [{}, {}]
    assert "the query has 2 results and must have one: aggregate it" in blind_line()


def test_a_query_that_is_no_promql_is_told(prometheus: dict[str, Any]) -> None:
    prometheus |= {"code": 400, "body": {"status": "error", "error": "1:6: parse error"}}
    assert "Prometheus refuses the query: 1:6: parse error" in blind_line()


def test_a_query_that_has_its_one_result_leaves_keda_to_explain(prometheus: dict[str, Any]) -> None:
    assert f"rate: {autoscaler.KEDA_UNANSWERED}" in blind_line()


def test_a_prometheus_that_does_not_answer_is_told() -> None:
    blind = scaler(rate(None), cpu(3), conditions=(NO_RATE,))
    [reading] = survey(scaledobjects=[scaled_object()], horizontalpodautoscalers=[blind])

    assert reading.causes == (f"rate: {autoscaler.PROMETHEUS_DOWN}",)
