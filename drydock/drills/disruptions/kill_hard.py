"""A process dies without a word, as from the out-of-memory killer."""

from math import ceil

from drydock.analysis.drill_objectives import DrillObjectives
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.manifests.shutdown_budget import PROPAGATION_SECONDS
from drydock.targets.target import Target

# Until no connection goes to the dead pod: the kubelet sees the end of the process within about 1 s, and kube-proxy
# hears of it as late as of a deletion.
UNNOTICED_SECONDS = 1 + PROPAGATION_SECONDS


class KillHard(Disruption[Target]):
    """SIGKILL: no preStop, no drain, no grace period. What that costs is stated, and bounded."""

    title = "kill-hard"
    negative_control = "no-readiness"

    @property
    def hypothesis(self) -> str:
        """It bounds the loss by the configured rate."""
        return (
            f"When a process is killed outright, at most {self.objectives.lost:,} requests are lost: those in flight, "
            f"and those of the {UNNOTICED_SECONDS:g} s until no connection goes there; no acknowledged order is lost, "
            "and the container comes back by itself."
        )

    @property
    def objectives(self) -> DrillObjectives:
        """The requests that one pod gets until its end is known everywhere, and its restart."""
        return DrillObjectives(lost=ceil(UNNOTICED_SECONDS * self.rate_of_one_pod), restarts=1)

    def act(self, run: DrillRun[Target]) -> None:
        """SIGKILL to the service of one pod."""
        run.target.kill(run.chosen_pod)

    def recovered(self, run: DrillRun[Target]) -> bool:
        """Its container was started again, and is ready."""
        return run.restarts(run.chosen_pod) >= 1 and run.all_pods_restored
