"""Autoscalers: Kubernetes' own and KEDA's ScaledObjects, read as one thing."""

from dataclasses import dataclass

from drydock.manifests.objects import Object, of_kind


@dataclass(frozen=True)
class Scaler:
    """What an autoscaler decides about: `source` is its object, `cpu` its target in percent of the request."""

    source: str
    name: str
    target: str
    fewest: int
    most: int
    cpu: int | None


def scalers(objects: list[Object]) -> list[Scaler]:
    """Every autoscaler among these objects."""
    plain = [_plain(item) for item in of_kind(objects, "HorizontalPodAutoscaler")]
    return [*plain, *(_scaled_object(item) for item in of_kind(objects, "ScaledObject"))]


def _plain(item: Object) -> Scaler:
    spec, name = item["spec"], item["metadata"]["name"]
    percentages = [
        metric["resource"]["target"]["averageUtilization"]
        for metric in spec.get("metrics", [])
        if metric["type"] == "Resource" and metric["resource"]["name"] == "cpu"
    ]
    return Scaler(
        f"HorizontalPodAutoscaler/{name}",
        name,
        spec["scaleTargetRef"]["name"],
        spec["minReplicas"],
        spec["maxReplicas"],
        next(iter(percentages), None),
    )


def _scaled_object(item: Object) -> Scaler:
    spec, name = item["spec"], item["metadata"]["name"]
    # Of the autoscaler that KEDA makes of it.
    made = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("name", f"keda-hpa-{name}")
    percentages = [int(trigger["metadata"]["value"]) for trigger in spec["triggers"] if trigger["type"] == "cpu"]
    return Scaler(
        f"ScaledObject/{name}",
        made,
        spec["scaleTargetRef"]["name"],
        spec["minReplicaCount"],
        spec["maxReplicaCount"],
        next(iter(percentages), None),
    )
