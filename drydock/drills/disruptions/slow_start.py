"""A rollout to a release that starts slowly."""

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.target import Target

# Set in k8s/variants/slow-start.yaml.
START_SECONDS = 20


class SlowStart(Disruption[Target]):
    """Roll out a release that needs 20 s until it listens."""

    title = "slow-start"
    hypothesis = (
        f"When a new release needs {START_SECONDS} s to start, the startup probe waits for it. No container restarts, "
        "no pod receives a request before it is ready, and no request is lost."
    )
    negative_control = "no-startup-probe"
    control_check = "container restarts"

    def act(self, run: DrillRun[Target]) -> None:
        run.release("slow-start")

    def recovered(self, run: DrillRun[Target]) -> bool:
        return run.gone == run.pods and run.all_pods_restored
