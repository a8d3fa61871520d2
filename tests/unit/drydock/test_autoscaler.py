from typing import Any

import pytest

from drydock import autoscaler

READY = {"status": {"readyReplicas": 1}}
STARTING: Any = {"status": {}}


def condition(name: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": name, "status": status, "reason": reason, "message": message}


def scaler(*conditions: dict[str, str], value: int | None = None, pods: int = 2) -> dict[str, Any]:
    """An autoscaler of CPU, as the API server describes it."""
    current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": value}}}]
    target = {"type": "Utilization", "averageUtilization": 60}
    return {
        "metadata": {"name": "shop"},
        "spec": {
            "minReplicas": 2,
            "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
        "status": {
            "currentReplicas": pods,
            "currentMetrics": current if value is not None else [{"type": ""}],
            "conditions": list(conditions),
        },
    }


ACTIVE = condition("ScalingActive", "True", "ValidMetricFound")
BLIND = condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics returned from resource metrics API")


def test_an_autoscaler_that_sees_says_value_target_and_pods() -> None:
    assert autoscaler.read(scaler(ACTIVE, value=37), READY) == autoscaler.Reading(
        "shop", True, "cpu 37%/60%, 2 of 2..5 pods"
    )


def test_nothing_used_is_a_value_too() -> None:
    assert autoscaler.read(scaler(ACTIVE, value=0), READY).text.startswith("cpu 0%/60%")


@pytest.mark.parametrize(
    ("metrics_server", "reason"),
    [(None, autoscaler.MISSING), (STARTING, autoscaler.NOT_READY), (READY, autoscaler.TOO_EARLY)],
    ids=["missing", "not ready", "too early"],
)
def test_an_autoscaler_without_a_value_says_why(metrics_server: Any, reason: str) -> None:
    reading = autoscaler.read(scaler(BLIND), metrics_server)

    assert not reading.well
    assert reading.text.startswith("cpu unknown/60%, 2 of 2..5 pods; ")
    assert reason in reading.text


def test_what_the_controller_says_is_passed_on() -> None:
    refusal = condition(
        "ScalingActive", "False", "FailedGetResourceMetric", "missing request for cpu in container shop"
    )

    assert "missing request for cpu in container shop" in autoscaler.read(scaler(refusal), READY).text


def test_an_old_value_of_an_autoscaler_that_has_become_blind_is_not_well() -> None:
    assert not autoscaler.read(scaler(BLIND, value=37), READY).well


def test_a_new_autoscaler_has_not_been_looked_at() -> None:
    new = scaler()
    del new["status"]

    reading = autoscaler.read(new, READY)

    assert not reading.well
    assert reading.text.startswith("cpu unknown/60%, 0 of 2..5 pods; ")
    assert "the controller has not looked yet" in reading.text


def test_a_metric_from_elsewhere_is_no_matter_of_metrics_server() -> None:
    external = scaler(condition("ScalingActive", "False", "FailedGetExternalMetric", "no such metric"))
    body = {"metric": {"name": "requests"}, "target": {"type": "AverageValue", "averageValue": "50"}}
    external["spec"]["metrics"] = [{"type": "External", "external": body}]

    assert autoscaler.read(external, None).text == "requests unknown/50, 2 of 2..5 pods; no such metric"
