"""One pod's event loop is blocked, as by a blocking call in a coroutine."""

from collections.abc import Iterable
from math import ceil

from drydock.analysis.drill_objectives import DrillObjectives
from drydock.analysis.evidence import Evidence
from drydock.core.errors import CannotRunError
from drydock.core.project import FaultRequest
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.requests.outcome import Outcome
from drydock.runs.verdict import Check
from drydock.targets.target import Target

# Readiness: up to 5 s until the first probe, three of them 5 s apart with 2 s each, and 2 s until that is known.
SHED_SECONDS = 20.0
# Liveness: up to 10 s until the first probe, three of them 10 s apart with 2 s each.
NOTICE_SECONDS = 35.0


class BlockLoop(Disruption[Target]):
    """Nothing is answered by one pod for a minute, probes included."""

    title = "block-loop"
    negative_control = "no-readiness"

    @property
    def hypothesis(self) -> str:
        """It bounds the loss by the configured rate."""
        return (
            f"When a pod's event loop blocks, readiness takes it out within {SHED_SECONDS:g} s, before liveness "
            f"restarts it (noticed within {NOTICE_SECONDS:g} s); only requests of that time are lost, at most "
            f"{self.objectives.lost:,}."
        )

    @property
    def objectives(self) -> DrillObjectives:
        """The requests that one pod gets until readiness takes it out, and its restart."""
        return DrillObjectives(lost=ceil(SHED_SECONDS * self.rate_of_one_pod), restarts=1)

    @property
    def variant(self) -> str | None:
        return self._fault.variant

    def act(self, run: DrillRun[Target]) -> None:
        """One pod stops answering; readiness falls; liveness has it restarted."""
        pod, fault = run.chosen_pod, self._fault
        run.target.request(pod, fault.method, fault.path, fault.body)
        run.wait("readiness to take it out", lambda: pod not in run.ready, SHED_SECONDS)
        run.wait("liveness to have it restarted", lambda: run.restarts(pod) >= 1, 120)

    def recovered(self, run: DrillRun[Target]) -> bool:
        """It was started again, and is ready."""
        return run.restarts(run.chosen_pod) >= 1 and run.all_pods_restored

    def checks(self, run: DrillRun[Target], evidence: Evidence) -> Iterable[Check]:
        """Who noticed, and when."""
        shed = run.seconds_until_shed(evidence, run.chosen_pod)
        yield _within("readiness takes the pod out", shed, SHED_SECONDS)
        noticed = run.seconds_until_unhealthy(evidence, run.chosen_pod)
        yield _within("liveness notices", noticed, NOTICE_SECONDS)
        first = shed is not None and (noticed is None or shed < noticed)
        yield Check(
            "readiness sheds before liveness restarts", first, "in this order", "in this order" if first else "not"
        )
        # The other pod may shed a few when this one goes on, with all that it had held up: they are in the sum.
        late = [
            record
            for record in evidence.records
            if record.outcome is not Outcome.OK
            and record.pod in ("", run.chosen_pod)
            and record.intended > evidence.action_started + SHED_SECONDS
        ]
        yield Check("it loses nothing once it is out", not late, "0", f"{len(late):,}")

    @property
    def _fault(self) -> FaultRequest:
        if self.settings.block_loop is None:
            reason = "drydock.toml names no request that blocks the event loop of a pod"
            raise CannotRunError(reason, "Set its path under [drills.disruptions.block_loop].")
        return self.settings.block_loop


def _within(name: str, seconds: float | None, limit: float) -> Check:
    observed = "not at all" if seconds is None else f"after {seconds:.1f} s"
    return Check(name, seconds is not None and seconds <= limit, f"within {limit:g} s", observed)
