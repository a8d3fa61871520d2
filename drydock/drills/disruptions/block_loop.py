"""The event loop of one pod blocks, as in a blocking call in a coroutine."""

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

# Readiness: up to 5 s until the first probe, three probes 5 s apart with a timeout of 2 s, and 2 s of propagation.
SHED_SECONDS = 20.0
# Liveness: up to 10 s until the first probe, three probes 10 s apart with a timeout of 2 s.
NOTICE_SECONDS = 35.0


class BlockLoop(Disruption[Target]):
    """Block the event loop of one pod for a minute: it answers neither requests nor probes."""

    title = "block-loop"
    negative_control = "no-readiness"
    control_check = "readiness removes the pod"

    @property
    def hypothesis(self) -> str:
        return (
            f"When the event loop of a pod blocks, readiness removes it from the Service within {SHED_SECONDS:g} s. "
            f"Liveness fails later, within {NOTICE_SECONDS:g} s, and restarts it. Only the requests until the removal "
            f"are lost, at most {self.objectives.lost:,}."
        )

    @property
    def objectives(self) -> DrillObjectives:
        """The requests of one pod until readiness removes it, and one restart."""
        return DrillObjectives(lost=ceil(SHED_SECONDS * self.rate_of_one_pod), restarts=1)

    @property
    def variant(self) -> str | None:
        return self._fault.variant

    def act(self, run: DrillRun[Target]) -> None:
        pod, fault = run.chosen_pod, self._fault
        run.target.request(pod, fault.method, fault.path, fault.body)
        run.wait("readiness to remove the pod", lambda: pod not in run.ready, SHED_SECONDS)
        run.wait("liveness to restart it", lambda: run.restarts(pod) >= 1, 120)

    def recovered(self, run: DrillRun[Target]) -> bool:
        return run.restarts(run.chosen_pod) >= 1 and run.all_pods_restored

    def checks(self, run: DrillRun[Target], evidence: Evidence) -> Iterable[Check]:
        shed = run.seconds_until_shed(evidence, run.chosen_pod)
        yield _within("readiness removes the pod", shed, SHED_SECONDS)
        noticed = run.seconds_until_unhealthy(evidence, run.chosen_pod)
        yield _within("liveness fails", noticed, NOTICE_SECONDS)
        first = shed is not None and (noticed is None or shed < noticed)
        yield Check("readiness fails before liveness", first, "in this order", "in this order" if first else "not")
        # When this pod resumes with its backlog, the other pod may shed a few requests: they count in the sum.
        late = [
            record
            for record in evidence.records
            if record.outcome is not Outcome.OK
            and record.pod in ("", run.chosen_pod)
            and record.intended > evidence.action_started + SHED_SECONDS
        ]
        yield Check("no request is lost after the removal", not late, "0", f"{len(late):,}")

    @property
    def _fault(self) -> FaultRequest:
        if self.settings.block_loop is None:
            reason = "drydock.toml has no request that blocks the event loop of a pod"
            raise CannotRunError(reason, "Set its path under [drills.disruptions.block_loop].")
        return self.settings.block_loop


def _within(name: str, seconds: float | None, limit: float) -> Check:
    observed = "never" if seconds is None else f"after {seconds:.1f} s"
    return Check(name, seconds is not None and seconds <= limit, f"within {limit:g} s", observed)
