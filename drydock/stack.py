"""What is to run: the mode of the service, the size of the telemetry stack, and the parts of it that are left out."""

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


class Part(StrEnum):
    """A part of the telemetry stack that can be left out."""

    COLLECTOR = "collector"
    JAEGER = "jaeger"
    PROMETHEUS = "prometheus"
    GRAFANA = "grafana"
    KUBE_STATE_METRICS = "kube-state-metrics"
    POSTGRES_EXPORTER = "postgres-exporter"


@dataclass(frozen=True)
class Stack:
    """One choice of all three."""

    mode: Mode = Mode.DEV
    profile: Profile = Profile.FULL
    without: tuple[Part, ...] = ()

    @property
    def arguments(self) -> list[str]:
        """The choice as the Tiltfile reads it."""
        left_out = [word for part in sorted(set(self.without)) for word in ("--without", part)]
        return ["--mode", self.mode, "--profile", self.profile, *left_out]
