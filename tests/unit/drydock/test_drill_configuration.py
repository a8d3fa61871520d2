"""What a drill says of the autoscaler's timings: in words, for a person to compare with production's."""

from drydock.drills import scale_configuration


def test_the_timings_are_said_in_words() -> None:
    down = {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}]}
    up = {"policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
    behavior = {"scaleDown": down, "scaleUp": up}

    texts = scale_configuration.timings(
        {"spec": {"advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}}}}
    )

    assert texts == {
        "scaleDown at most": "1 pod in 30 s",
        "scaleDown stabilization": "60 s",
        "scaleUp at most": "100 percent in 15 s",
    }
