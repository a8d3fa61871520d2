"""Memory: the telemetry stack stays within a stated budget, and Go's collector of garbage knows each limit."""

from drydock.manifests.objects import Findings, Object, of_kind
from drydock.manifests.quantities import size

# The share of the limit that a Go program is told: the collector's own advice for GOMEMLIMIT.
SHARE = 0.8
ROUNDING = 1024**2


def telemetry(objects: list[Object]) -> dict[str, Object]:
    """The container of each part of the telemetry stack, by the part's name."""
    return {
        item["metadata"]["name"]: item["spec"]["template"]["spec"]["containers"][0]
        for item in of_kind(objects, "Deployment")
        if item["metadata"]["labels"].get("app.kubernetes.io/component") == "telemetry"
    }


def within(objects: list[Object], budget: int) -> Findings:
    """The limits of all parts together are no more than `budget` bytes."""
    limits = {name: size(spec["resources"]["limits"]["memory"]) for name, spec in telemetry(objects).items()}
    total = sum(limits.values())
    return [] if total <= budget else [f"the limits sum up to {total / 2**20:.0f} MiB: {limits}"]


def go_knows_its_limit(objects: list[Object]) -> Findings:
    """GOMEMLIMIT, where it is set, is 80 % of the container's limit."""
    findings = []
    for name, spec in telemetry(objects).items():
        for variable in spec.get("env", []):
            if variable["name"] == "GOMEMLIMIT":
                told, limit = size(variable["value"]), size(spec["resources"]["limits"]["memory"])
                if abs(told - SHARE * limit) > ROUNDING:
                    findings.append(f"{name}: GOMEMLIMIT is {told / limit:.0%} of the limit")
    return findings
