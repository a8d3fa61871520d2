"""The database is out for longer than any patience."""

from collections.abc import Iterable

from drydock.analysis.drill_objectives import DrillObjectives
from drydock.analysis.evidence import Evidence
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.requests.outcome import Outcome
from drydock.runs.verdict import Check
from drydock.targets.target import Target

# Longer than the liveness probe's 3 x 10 s: a service that restarted for its database would show it.
OUTAGE_SECONDS = 45.0
# The probe's 5 s, the news of it, and a pool that opens its connections again.
RECOVERY_SECONDS = 20.0
READINESS_SECONDS = 30.0


class DbOutage(Disruption[Target]):
    """Postgres is gone for three quarters of a minute."""

    title = "db-outage"
    hypothesis = (
        "When the database is out, readiness falls and liveness holds: no pod restarts, requests are answered 503 "
        "while a pod is ready, then refused or left alone by the Service, and all is answered again "
        f"{RECOVERY_SECONDS:g} s after it is back; no order is missing."
    )
    objectives = DrillObjectives(
        allowed=frozenset({Outcome.SERVER_ERROR, Outcome.REFUSED, Outcome.TIMED_OUT}), recovery_seconds=RECOVERY_SECONDS
    )
    negative_control = "eager-liveness"

    def act(self, run: DrillRun[Target]) -> None:
        """It stops; readiness falls; it starts."""
        run.target.stop_database()
        run.wait("readiness to fall", lambda: not run.ready, READINESS_SECONDS)
        run.wait("the outage to last", lambda: False, OUTAGE_SECONDS)
        run.target.start_database()

    def recovered(self, run: DrillRun[Target]) -> bool:
        """The pods of before are ready."""
        return run.ready == run.pods and run.answers_everything

    def checks(self, run: DrillRun[Target], evidence: Evidence) -> Iterable[Check]:
        """Readiness said it."""
        lowest = run.fewest_ready(evidence)
        yield Check("readiness falls while the database is out", lowest == 0, "no pod ready", f"{lowest} pods ready")
