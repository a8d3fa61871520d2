"""A release whose process takes long to start."""

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.target import Target

# In k8s/variants/slow-start.yaml.
START_SECONDS = 20


class SlowStart(Disruption[Target]):
    """A rollout to a version that loads for 20 s before it listens."""

    title = "slow-start"
    hypothesis = (
        f"When a new version needs {START_SECONDS} s to start, the startup probe waits for it: nothing is restarted, "
        "it gets no request before it is ready, and none is lost."
    )
    negative_control = "no-startup-probe"

    def act(self, run: DrillRun[Target]) -> None:
        """The slow version is released."""
        run.release("slow-start")

    def recovered(self, run: DrillRun[Target]) -> bool:
        """No pod of before is left, and as many new ones are ready."""
        return run.gone == run.pods and run.all_pods_restored
