"""The database restarts, as for a minor version."""

from drydock.analysis.objectives import Promise
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import Scene
from drydock.requests.outcome import Outcome
from drydock.targets.target import Target

# The pool opens connections again with the next request; a pod that was not ready needs its probe: 5 s, and 2 s.
RECOVERY_SECONDS = 15.0


class DbRestart(Disruption[Target]):
    """Postgres stops in good order and starts again at once."""

    title = "db-restart"
    belief = (
        "When the database restarts, requests are answered 503 or refused meanwhile, no pod restarts, every "
        f"acknowledged order is kept, and all is answered again {RECOVERY_SECONDS:g} s after it is back."
    )
    promise = Promise(allowed=frozenset({Outcome.SERVER_ERROR, Outcome.REFUSED}), recovery_seconds=RECOVERY_SECONDS)
    control = "eager-liveness"

    def act(self, scene: Scene[Target]) -> None:
        """It stops, and starts."""
        scene.target.stop_database()
        scene.target.start_database()

    def recovered(self, scene: Scene[Target]) -> bool:
        """The pods of before are ready."""
        return scene.ready == scene.pods and scene.answers
