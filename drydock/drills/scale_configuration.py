"""The configuration of a scaling drill: versions, load, objectives, the autoscaler's timings and production's."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from drydock.cluster import images
from drydock.cluster.platform import KindPlatform
from drydock.core.project import ScaleDrill
from drydock.drills.experiment import Experiment
from drydock.runs.configuration import describe
from drydock.targets.kind import KindTarget

# Used as k8s/components/production-timings documents, from a folder below .local/.
PRODUCTION = {
    "resources": ["../../k8s/autoscaling/keda"],
    "components": ["../../k8s/components/production-timings"],
}


def described(experiment: Experiment[KindTarget], objectives: ScaleDrill) -> dict[str, Any]:
    """The content of configuration.json."""
    scaled = experiment.target.subject.scaled_object(objectives.scaled_object)
    return describe(
        experiment.target.platform,
        kind="drill",
        scenario="step",
        settings=dict(objectives.load),
        objectives=objectives.model_dump(exclude={"load"}),
        timings=timings(scaled),
        production=production(experiment.target.platform, objectives.scaled_object),
    )


def timings(scaled: Any) -> dict[str, str]:
    """The timings of a ScaledObject, as text by name."""
    spec = scaled["spec"]
    behavior = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {})
    texts = {f"{name} {rule}": text for name, rules in behavior.items() for rule, text in _rules(rules)}
    for name in ("pollingInterval", "cooldownPeriod"):
        if name in spec:
            texts[name] = f"{spec[name]} s"
    return {name: texts[name] for name in sorted(texts)}


def _rules(rules: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "stabilizationWindowSeconds" in rules:
        yield "stabilization", f"{rules['stabilizationWindowSeconds']} s"
    if policies := rules.get("policies"):
        policies_in_words = (f"{it['value']} {_unit(it)} in {it['periodSeconds']} s" for it in policies)
        yield "at most", " or ".join(policies_in_words)


def _unit(policy: Mapping[str, Any]) -> str:
    if policy["type"] == "Percent":
        return "percent"
    return "pod" if policy["value"] == 1 else "pods"


def production(platform: KindPlatform, name: str) -> dict[str, str]:
    """The timings of the same manifests with the component production-timings."""
    folder = platform.project.state / "production-timings"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(PRODUCTION))
    rendered = images.render(platform.programs["kubectl"], folder)
    return timings(next(it for it in rendered if it["kind"] == "ScaledObject" and it["metadata"]["name"] == name))
