"""A restart of the database, as for a minor version."""

from drydock.analysis.drill_objectives import DrillObjectives
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.requests.outcome import Outcome
from drydock.targets.target import Target

# The pool opens new connections with the next request. A pod that is not ready needs its probe (5 s) and 2 s of
# propagation.
RECOVERY_SECONDS = 15.0


class DbRestart(Disruption[Target]):
    """Stop the database gracefully and start it at once."""

    title = "db-restart"
    hypothesis = (
        "When the database restarts, requests get 503 or are refused meanwhile, no pod restarts, and every "
        f"acknowledged write is kept. Every request succeeds again within {RECOVERY_SECONDS:g} s."
    )
    objectives = DrillObjectives(allowed=frozenset({503, Outcome.REFUSED}), recovery_seconds=RECOVERY_SECONDS)
    negative_control = "eager-liveness"
    control_check = "container restarts"

    def act(self, run: DrillRun[Target]) -> None:
        run.target.stop_database()
        run.target.start_database()

    def recovered(self, run: DrillRun[Target]) -> bool:
        return run.ready == run.pods and run.answers_everything
