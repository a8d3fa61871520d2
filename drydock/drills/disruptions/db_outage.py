"""An outage of the database that outlasts every timeout."""

from collections.abc import Iterable

from drydock.analysis.drill_objectives import DrillObjectives
from drydock.analysis.evidence import Evidence
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.requests.outcome import Outcome
from drydock.runs.verdict import Check
from drydock.targets.target import Target

# Longer than the 3 x 10 s of the liveness probe: a service that restarts without its database would restart here.
OUTAGE_SECONDS = 45.0
# The 5 s of the probe, the propagation of readiness, and new connections of the pool.
RECOVERY_SECONDS = 20.0
READINESS_SECONDS = 30.0


class DbOutage(Disruption[Target]):
    """Stop the database for 45 s, then start it."""

    title = "db-outage"
    hypothesis = (
        "When the database is down, readiness fails and liveness holds, so no pod restarts. Requests get 503 while a "
        "pod is ready; after that the Service refuses them or they time out. Every request succeeds again within "
        f"{RECOVERY_SECONDS:g} s of the database's return, and no acknowledged write is missing."
    )
    objectives = DrillObjectives(
        allowed=frozenset({503, Outcome.REFUSED, Outcome.TIMED_OUT}), recovery_seconds=RECOVERY_SECONDS
    )
    negative_control = "eager-liveness"
    control_check = "container restarts"

    def act(self, run: DrillRun[Target]) -> None:
        run.target.stop_database()
        run.wait("readiness to fail", lambda: not run.ready, READINESS_SECONDS)
        run.wait("the outage to last", lambda: False, OUTAGE_SECONDS)
        run.target.start_database()

    def recovered(self, run: DrillRun[Target]) -> bool:
        return run.ready == run.pods and run.answers_everything

    def checks(self, run: DrillRun[Target], evidence: Evidence) -> Iterable[Check]:
        lowest = run.fewest_ready(evidence)
        yield Check("readiness fails while the database is down", lowest == 0, "no pod ready", f"{lowest} pods ready")
