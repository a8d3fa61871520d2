"""A release whose process takes long to start."""

from drydock.analysis.objectives import Promise
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import Scene
from drydock.targets.target import Target

# In k8s/variants/slow-start.yaml.
START_SECONDS = 20


class SlowStart(Disruption[Target]):
    """A rollout to a version that loads for 20 s before it listens."""

    title = "slow-start"
    belief = (
        f"When a new version needs {START_SECONDS} s to start, the startup probe waits for it: nothing is restarted, "
        "it gets no request before it is ready, and none is lost."
    )
    promise = Promise()
    control = "no-startup-probe"

    def act(self, scene: Scene[Target]) -> None:
        """The slow version is released."""
        scene.release("slow-start")

    def recovered(self, scene: Scene[Target]) -> bool:
        """No pod of before is left, and as many new ones are ready."""
        return scene.gone == scene.pods and scene.whole
