"""Autoscalers: HorizontalPodAutoscalers and KEDA's ScaledObjects in one form."""

from dataclasses import dataclass

from drydock.manifests.objects import Object, of_kind


@dataclass(frozen=True)
class Scaler:
    """An autoscaler: `source` is its object, `name` its HorizontalPodAutoscaler, `target` the Deployment it scales.

    `cpu` is its target in percent of the CPU request, None without a CPU metric.
    """

    source: str
    name: str
    target: str
    fewest: int
    most: int
    cpu: int | None


def scalers(objects: list[Object]) -> list[Scaler]:
    """The autoscalers among these objects."""
    autoscalers = [_autoscaler(item) for item in of_kind(objects, "HorizontalPodAutoscaler")]
    return [*autoscalers, *(_scaled_object(item) for item in of_kind(objects, "ScaledObject"))]


def _autoscaler(item: Object) -> Scaler:
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
    # KEDA's default name, keda.sh/docs/latest/reference/scaledobject-spec/#horizontalpodautoscalerconfig
    hpa = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("name", f"keda-hpa-{name}")
    percentages = [int(trigger["metadata"]["value"]) for trigger in spec["triggers"] if trigger["type"] == "cpu"]
    return Scaler(
        f"ScaledObject/{name}",
        hpa,
        spec["scaleTargetRef"]["name"],
        spec["minReplicaCount"],
        spec["maxReplicaCount"],
        next(iter(percentages), None),
    )
