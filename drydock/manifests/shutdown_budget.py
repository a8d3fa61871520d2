"""The shutdown budget: the longest time that each step of a pod's shutdown may take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from drydock.core.project import Shutdown

# kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle: the default of terminationGracePeriodSeconds.
DEFAULT_GRACE_SECONDS = 30.0
# Measured on kind (docs/reference/measured.md): kube-proxy sends no new connections 1 to 2 s after a pod's deletion.
PROPAGATION_SECONDS = 2.0


@dataclass(frozen=True)
class Budget:
    """Seconds. The grace period `grace` begins with the pod's deletion and includes preStop."""

    prestop: float
    drain: float
    graceful: float
    close: float
    grace: float

    @classmethod
    def of(cls, pod_spec: Mapping[str, Any], container: str, variables: Mapping[str, str], shutdown: Shutdown) -> Self:
        """Reads the budget from a pod's spec and the environment of its container."""
        spec = next(it for it in pod_spec["containers"] if it["name"] == container)
        hook = (spec.get("lifecycle") or {}).get("preStop") or {}
        return cls(
            prestop=float((hook.get("sleep") or {}).get("seconds", 0)),
            drain=_sum(variables, shutdown.drain),
            graceful=_sum(variables, shutdown.graceful) + shutdown.backlog_seconds,
            close=_sum(variables, shutdown.close),
            grace=float(pod_spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS)),
        )

    @property
    def total(self) -> float:
        """The sum of all steps."""
        return self.prestop + self.drain + self.graceful + self.close

    def as_json(self) -> dict[str, float]:
        """The budget in configuration.json."""
        return {
            "prestop": self.prestop,
            "drain": self.drain,
            "graceful": self.graceful,
            "close": self.close,
            "total": self.total,
            "grace": self.grace,
        }


def _sum(variables: Mapping[str, str], names: tuple[str, ...]) -> float:
    return sum(float(variables.get(name) or 0) for name in names)
