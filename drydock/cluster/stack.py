"""The choice of what runs: the service's mode, the telemetry stack's size, and the parts that are left out."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """The mode of the service: `dev` reloads on an edit, `parity` runs it exactly as production does."""

    DEV = "dev"
    PARITY = "parity"


class Profile(StrEnum):
    """The size of the telemetry stack: `small` is for a machine with 8 GiB of memory."""

    FULL = "full"
    SMALL = "small"


# The pods of every Part but the Postgres exporter, which runs beside its Postgres, and KEDA.
TELEMETRY_NAMESPACE = "observability"


class Autoscaling(StrEnum):
    """The autoscaler of the service: a folder of k8s/autoscaling. Exactly one is deployed."""

    ONE = "one"
    CPU = "cpu"
    KEDA = "keda"


class Part(StrEnum):
    """An optional part: KEDA, or a component of the telemetry stack."""

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
    """A mode, a profile, and the parts that are left out."""

    mode: Mode = Mode.DEV
    profile: Profile = Profile.FULL
    without: tuple[Part, ...] = ()

    @property
    def autoscaling(self) -> Autoscaling:
        """One pod in dev mode, KEDA in parity mode, CPU alone without KEDA or the Prometheus that KEDA queries."""
        if self.mode is Mode.DEV:
            return Autoscaling.ONE
        return Autoscaling.CPU if {Part.KEDA, Part.PROMETHEUS} & set(self.without) else Autoscaling.KEDA

    @property
    def arguments(self) -> list[str]:
        """The choice as arguments of the Tiltfile."""
        left_out = [word for part in sorted(set(self.without)) for word in ("--without", part)]
        return ["--mode", self.mode, "--profile", self.profile, *left_out]
