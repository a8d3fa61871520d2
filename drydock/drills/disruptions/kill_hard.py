"""A process that dies by SIGKILL, as from the out-of-memory killer."""

from math import ceil

from drydock.analysis.drill_objectives import DrillObjectives
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.manifests.shutdown_budget import PROPAGATION_SECONDS
from drydock.targets.target import Target

# The Service sends connections to the dead pod for this long: the kubelet sees the exit within about 1 s, and
# kube-proxy follows as late as after a deletion.
UNNOTICED_SECONDS = 1 + PROPAGATION_SECONDS


class KillHard(Disruption[Target]):
    """Kill the process of one pod with SIGKILL: no preStop, no drain, no grace period."""

    title = "kill-hard"
    negative_control = "no-readiness"

    @property
    def hypothesis(self) -> str:
        return (
            f"When SIGKILL ends a process, at most {self.objectives.lost:,} requests are lost: those in flight, and "
            f"those of the {UNNOTICED_SECONDS:g} s until the Service removes the pod. No acknowledged write is lost, "
            "and the kubelet restarts the container."
        )

    @property
    def objectives(self) -> DrillObjectives:
        """The requests of one pod until the Service removes it, and one restart."""
        return DrillObjectives(
            lost=ceil(UNNOTICED_SECONDS * self.rate_of_one_pod), loss_seconds=UNNOTICED_SECONDS, restarts=1
        )

    def act(self, run: DrillRun[Target]) -> None:
        run.target.kill(run.chosen_pod)

    def recovered(self, run: DrillRun[Target]) -> bool:
        return run.restarts(run.chosen_pod) >= 1 and run.all_pods_restored
