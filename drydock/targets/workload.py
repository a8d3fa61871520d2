"""Changes and reads the workload of the scaling drill through kubectl, by the names in drydock.toml."""

import json
from dataclasses import dataclass
from typing import Any

from drydock.cluster import guards
from drydock.cluster.namespace import Namespace
from drydock.cluster.platform import KindPlatform
from drydock.core.console import Step, step
from drydock.core.errors import CannotRunError
from drydock.core.project import Workload
from drydock.system.wait import wait_until
from drydock.targets.target import ROLLOUT_SECONDS, TimelineRecorder
from drydock.timeline.history import History, at

# After a rollout: stabilization 60 s, then one pod each 30 s, each up to 45 s on its way out.
SETTLE_SECONDS = 300.0
# metrics-server has a value of a new pod 30 to 60 s after its start.
SIGHT_SECONDS = 90.0


@dataclass(frozen=True)
class ScaledWorkload:
    """The workload of a drill."""

    namespace: Namespace
    workload: Workload

    def set_variable(self, name: str, value: str) -> None:
        """Sets a variable of the Deployment and waits for the rollout.

        Raises:
            FailedError: the rollout did not come to its end in time.
        """
        deployment = f"deployment/{self.workload.deployment}"
        self.namespace.call("set", "env", deployment, f"--containers={self.workload.container}", f"{name}={value}")
        self.namespace.call("rollout", "status", deployment, f"--timeout={ROLLOUT_SECONDS:.0f}s")

    def scaled_object(self, name: str) -> Any:
        """KEDA's object.

        Raises:
            FailedError: there is none.
        """
        return self.namespace.get("scaledobject", name)

    def set_triggers(self, name: str, triggers: Any) -> None:
        """Lets KEDA scale by these triggers alone, and waits until the autoscaler has as many metrics.

        Raises:
            CannotRunError: it does not get them.
        """
        self.namespace.call(
            "patch", "scaledobject", name, "--type=merge", f"--patch={json.dumps({'spec': {'triggers': triggers}})}"
        )
        if not wait_until(lambda: len(self._metrics()) == len(triggers), 60, interval=1):
            raise CannotRunError(f"KEDA did not pass {len(triggers)} triggers on to the autoscaler", "drydock doctor")

    def _metrics(self) -> list[Any]:
        items = self.namespace.get("horizontalpodautoscalers.v2.autoscaling")["items"]
        ours = (it for it in items if it["spec"]["scaleTargetRef"]["name"] == self.workload.deployment)
        return next((it["spec"].get("metrics") or [] for it in ours), [])


def wait_for_minimum(timeline: TimelineRecorder, workload: Workload, progress: Step) -> None:
    """Waits until the autoscaler wants its minimum, these pods are ready, and no other is left.

    Raises:
        CannotRunError: it does not come to that in `SETTLE_SECONDS`.
    """

    def settled() -> bool:
        progress.detail = pods_now(timeline.history, workload)
        return at_minimum(timeline.history, workload)

    if not wait_until(settled, SETTLE_SECONDS, interval=1):
        reason = f"the pods did not come to their minimum within {SETTLE_SECONDS:.0f} s: {progress.detail}"
        raise CannotRunError(reason, "Find the metric that keeps the autoscaler up: drydock status")


def wait_for_sight(platform: KindPlatform) -> None:
    """Waits until the autoscaler has a value of each of its metrics: after a pod's start it has none of its CPU.

    Raises:
        CannotRunError: it is blind for `SIGHT_SECONDS`; with the causes and the remedy.
    """

    def sees() -> bool:
        try:
            guards.refuse_blind_autoscaler(platform.cluster, platform.project)
        except CannotRunError as error:
            progress.detail = error.reason
            return False
        progress.detail = "it reads every metric"
        return True

    with step("the autoscaler's sight") as progress:
        if not wait_until(sees, SIGHT_SECONDS, interval=2):
            guards.refuse_blind_autoscaler(platform.cluster, platform.project)


def at_minimum(history: History, workload: Workload) -> bool:
    """Whether the desired, ready and existing pods are all at the minimum."""
    minimum, now = history.minimum(workload.deployment), float("inf")
    ready = at(history.endpoints(workload.service), now) or frozenset()
    existing = at(history.existing(workload.deployment), now) or frozenset()
    return minimum == at(history.desired(workload.deployment), now) == len(ready) == len(existing)


def pods_now(history: History, workload: Workload) -> str:
    """`2 wanted, 2 ready, 3 there`."""
    now = float("inf")
    desired = at(history.desired(workload.deployment), now)
    ready = at(history.endpoints(workload.service), now) or frozenset()
    existing = at(history.existing(workload.deployment), now) or frozenset()
    return f"{desired} wanted, {len(ready)} ready" + (f", {len(existing)} there" if existing != ready else "")
