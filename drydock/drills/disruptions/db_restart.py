"""The database restarts, as for a minor version."""

from drydock.analysis.drill_objectives import DrillObjectives
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.requests.outcome import Outcome
from drydock.targets.target import Target

# The pool opens connections again with the next request; a pod that was not ready needs its probe: 5 s, and 2 s.
RECOVERY_SECONDS = 15.0


class DbRestart(Disruption[Target]):
    """Postgres stops in good order and starts again at once."""

    title = "db-restart"
    hypothesis = (
        "When the database restarts, requests are answered 503 or refused meanwhile, no pod restarts, every "
        f"acknowledged order is kept, and all is answered again {RECOVERY_SECONDS:g} s after it is back."
    )
    objectives = DrillObjectives(
        allowed=frozenset({Outcome.SERVER_ERROR, Outcome.REFUSED}), recovery_seconds=RECOVERY_SECONDS
    )
    negative_control = "eager-liveness"

    def act(self, run: DrillRun[Target]) -> None:
        """It stops, and starts."""
        run.target.stop_database()
        run.target.start_database()

    def recovered(self, run: DrillRun[Target]) -> bool:
        """The pods of before are ready."""
        return run.ready == run.pods and run.answers_everything
