"""What is to run: the mode of the service, the size of the telemetry stack, and the parts that are left out."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """What the Tiltfile deploys: `dev` reloads on an edit, `parity` is exactly what production runs."""

    DEV = "dev"
    PARITY = "parity"


class Profile(StrEnum):
    """How much the telemetry stack keeps: `small` is for a machine of 8 GiB."""

    FULL = "full"
    SMALL = "small"


# Where Part's pods are, but for the exporter, which is beside its Postgres.
TELEMETRY_NAMESPACE = "observability"


class Autoscaling(StrEnum):
    """What decides how many pods the service has: a folder of k8s/autoscaling, of which exactly one is deployed."""

    ONE = "one"
    CPU = "cpu"
    KEDA = "keda"


class Part(StrEnum):
    """A part that can be left out: of the telemetry stack, or KEDA."""

    COLLECTOR = "collector"
    JAEGER = "jaeger"
    PROMETHEUS = "prometheus"
    GRAFANA = "grafana"
    KUBE_STATE_METRICS = "kube-state-metrics"
    POSTGRES_EXPORTER = "postgres-exporter"
    KEDA = "keda"


TELEMETRY = frozenset(Part) - {Part.KEDA}


@dataclass(frozen=True)
class Stack:
    """One choice of all three."""

    mode: Mode = Mode.DEV
    profile: Profile = Profile.FULL
    without: tuple[Part, ...] = ()

    @property
    def autoscaling(self) -> Autoscaling:
        """Dev mode keeps to one pod; KEDA asks Prometheus, so without either of them there is CPU alone."""
        if self.mode is Mode.DEV:
            return Autoscaling.ONE
        return Autoscaling.CPU if {Part.KEDA, Part.PROMETHEUS} & set(self.without) else Autoscaling.KEDA

    @property
    def arguments(self) -> list[str]:
        """The choice as the Tiltfile reads it."""
        left_out = [word for part in sorted(set(self.without)) for word in ("--without", part)]
        return ["--mode", self.mode, "--profile", self.profile, *left_out]
