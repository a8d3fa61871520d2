"""A process dies without a word, as from the out-of-memory killer."""

from drydock.analysis.objectives import DrillObjectives
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.target import Target

# At 210 requests a second half of them meet the dead pod until its end is known everywhere: the kubelet sees it within
# about 1 s, and kube-proxy hears of it 1 to 2 s later. 3 s x 105/s = 315.
MOST_LOST = 315


class KillHard(Disruption[Target]):
    """SIGKILL: no preStop, no drain, no grace period. What that costs is stated, and bounded."""

    title = "kill-hard"
    hypothesis = (
        f"When a process is killed outright, at most {MOST_LOST} requests are lost: those in flight, and those of the "
        "3 s until no connection goes there; no acknowledged order is lost, and the container comes back by itself."
    )
    objectives = DrillObjectives(lost=MOST_LOST, restarts=1)
    negative_control = "no-readiness"

    def act(self, run: DrillRun[Target]) -> None:
        """SIGKILL to the service of one pod."""
        run.target.kill(run.chosen_pod)

    def recovered(self, run: DrillRun[Target]) -> bool:
        """Its container was started again, and is ready."""
        return run.restarts(run.chosen_pod) >= 1 and run.all_pods_restored
